//! The table of names: which replica each cohort of a service's clients is told to go to.
//!
//! The director writes it when it redirects; the name service reads it for its answers, and so
//! do clients that need no name service. How long an answer is kept is the client's affair.

use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::topology::Topology;
use std::sync::{Arc, PoisonError, RwLock};

/// What is under each name. Clones are handles of the same table.
#[derive(Clone, Debug)]
pub struct Zone {
    records: Arc<RwLock<Vec<Record>>>,
}

/// What is under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// By cohort, the replica.
    pub replicas: [u16; 64],
    /// How long a client may keep the answer, in model time; zero for a virtual address.
    pub ttl: Nanos,
    /// Counts changes.
    pub serial: u32,
}

impl Zone {
    /// Every name points at its home replica (the first one with role primary, or the first).
    #[must_use]
    pub fn new(topology: &Topology) -> Self {
        let record = |service: &assize_model::topology::Service| {
            let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
            Record {
                replicas: [u16::try_from(home).unwrap_or(0); 64],
                ttl: service.failover.as_ref().map_or(Nanos::ZERO, |f| f.dns_ttl),
                serial: 1,
            }
        };
        Self {
            records: Arc::new(RwLock::new(topology.services.iter().map(record).collect())),
        }
    }

    /// What is under the name of a service.
    #[must_use]
    pub fn record(&self, service: ServiceId) -> Option<Record> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        records.get(service.index()).cloned()
    }

    /// The replica that this cohort is told to go to, and for how long it may keep the answer.
    #[must_use]
    pub fn lookup(&self, service: ServiceId, cohort: u8) -> Option<(u16, Nanos)> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let record = records.get(service.index())?;
        Some((record.replicas[usize::from(cohort % 64)], record.ttl))
    }

    /// Points the name elsewhere; returns whether that is a change.
    pub fn redirect(&self, service: ServiceId, replicas: [u16; 64]) -> bool {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        match records.get_mut(service.index()) {
            Some(record) if record.replicas != replicas => {
                record.replicas = replicas;
                record.serial += 1;
                true
            }
            _ => false,
        }
    }
}
