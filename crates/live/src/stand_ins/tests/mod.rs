//! Stand-ins on real sockets, with no network between them but what a test puts there.

mod datagrams;
mod http;
mod store;

use super::start;
use crate::clock::Clock;
use crate::context::Context;
use crate::replica::{Answer, Call, Neighbours, Replica, Trouble, Way, What};
use crate::zone::Zone;
use assize_fault::Size;
use assize_model::ServiceId;
use assize_model::binding::StandIn;
use assize_model::file::{LoadOptions, MemorySource, load_topology};
use assize_model::topology::Topology;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Nothing in these tests takes so long unless it hangs.
pub(super) const SOON: Duration = Duration::from_secs(20);

type Ways = Arc<Mutex<BTreeMap<(usize, u16), Way>>>;

/// Services that reach each other.
#[derive(Debug)]
pub(super) struct Estate {
    pub(super) topology: Arc<Topology>,
    pub(super) clock: Clock,
    pub(super) zone: Zone,
    ways: Ways,
    folder: PathBuf,
}

impl Drop for Estate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
struct Here {
    service: usize,
    zone: Zone,
    ways: Ways,
}

impl Neighbours for Here {
    fn service(&self, service: ServiceId, cohort: u8) -> Option<Way> {
        let (replica, _) = self.zone.lookup(service, cohort)?;
        self.way(service.index(), replica)
    }

    fn replica(&self, index: u16) -> Option<Way> {
        self.way(self.service, index)
    }

    fn vault(&self, _backup: usize) -> Option<SocketAddr> {
        None
    }
}

impl Here {
    fn way(&self, service: usize, replica: u16) -> Option<Way> {
        let ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.get(&(service, replica)).cloned()
    }
}

impl Estate {
    /// The services of a topology, all of this kind, at this pace.
    pub(super) async fn start(services: &str, kind: StandIn, pace: u32) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let text = format!("assize: topology/v1\nname: t\nservices:\n{services}");
        let source = MemorySource::new([("t.yaml", text.as_str())]);
        let loaded = load_topology(&source, Path::new("t.yaml"), &LoadOptions::default());
        let (topology, _) = loaded.unwrap_or_else(|e| panic!("{e:?}"));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("assize-stand-ins-{}-{number}", std::process::id());
        let estate = Self {
            zone: Zone::new(&topology),
            topology: Arc::new(topology),
            clock: Clock::new(Instant::now(), pace),
            ways: Ways::default(),
            folder: std::env::temp_dir().join(folder),
        };
        for (service, spec) in estate.topology.services.iter().enumerate() {
            for replica in 0..spec.replicas.len() as u16 {
                let replica = start(kind, estate.context(service, replica)).await;
                let replica = replica.unwrap_or_else(|e| panic!("{e}"));
                let via = replica.upstream().parse().expect("an address");
                estate.put(service, Way { via, to: replica });
            }
        }
        estate
    }

    fn context(&self, service: usize, replica: u16) -> Context {
        let folder = self.folder.join(format!("{service}-{replica}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        Context {
            topology: Arc::clone(&self.topology),
            service: ServiceId::from(service),
            replica,
            clock: self.clock,
            neighbours: Arc::new(Here {
                service,
                zone: self.zone.clone(),
                ways: Arc::clone(&self.ways),
            }),
            folder,
            phases: 64,
            seed: 7,
            zone: self.zone.clone(),
            allow_exec: false,
        }
    }

    fn put(&self, service: usize, way: Way) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let replica = ways.keys().filter(|k| k.0 == service).count() as u16;
        ways.insert((service, replica), way);
    }

    /// A folder of this name, which exists.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Everybody reaches a replica by this address from now on.
    pub(super) fn reroute(&self, service: usize, replica: u16, via: SocketAddr) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(way) = ways.get_mut(&(service, replica)) {
            way.via = via;
        }
    }

    /// The way to a replica.
    pub(super) fn way(&self, service: usize, replica: u16) -> Way {
        let ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways[&(service, replica)].clone()
    }

    /// The replica itself.
    pub(super) fn replica(&self, service: usize, replica: u16) -> Arc<dyn Replica> {
        self.way(service, replica).to
    }

    /// One request; `Err(None)`: no answer in this time.
    pub(super) async fn call_within(
        &self,
        service: usize,
        replica: u16,
        call: &Call,
        limit: Duration,
    ) -> Result<Answer, Option<Trouble>> {
        let way = self.way(service, replica);
        match timeout(limit, way.to.call(way.via, call)).await {
            Ok(answer) => answer.map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// One request that is answered.
    pub(super) async fn call(
        &self,
        service: usize,
        replica: u16,
        call: &Call,
    ) -> Result<Answer, Trouble> {
        let answer = self.call_within(service, replica, call, SOON).await;
        answer.map_err(|e| e.expect("an answer in time"))
    }
}

/// A plain request of client `from`.
pub(super) fn plain(from: u64) -> Call {
    Call {
        from,
        weight: 1,
        cohort: 0,
        round_trips: 1,
        sends: Size(100),
        receives: Size(100),
        what: What::Plain,
    }
}
