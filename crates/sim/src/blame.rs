//! What stops a request, on its way or at its end, the faults behind it, and how it is felt.

use crate::engine::Engine;
use assize_control::fabric::{Fault, Instance, Stop};
use assize_model::faults::How;
use assize_model::topology::Mode;

/// What stops a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blame {
    /// The network.
    Way(Stop),
    /// A replica's process.
    Replica(u16, u16),
    /// A replica that answers nobody.
    NoAnswer(u16, u16),
    /// A replica that is not primary, or has no majority.
    NotPrimary(u16, u16),
    /// A shard.
    Shard(u16, u16),
    /// Damaged data, or a restore under way.
    Data(u16),
}

impl From<Stop> for Blame {
    fn from(stop: Stop) -> Self {
        Self::Way(stop)
    }
}

impl Engine<'_> {
    /// The faults behind a failure.
    pub(crate) fn faults_of(&self, blame: Blame) -> Vec<Fault> {
        let replica = |s: u16, r: u16| &self.services[usize::from(s)].replicas[usize::from(r)];
        let mut list: Vec<Fault> = match blame {
            Blame::Way(stop) => return self.fabric.faults_of(stop),
            Blame::Replica(s, r) => replica(s, r).down.iter().map(|d| d.0).collect(),
            Blame::NoAnswer(s, r) => replica(s, r).no_answer.iter().map(|d| d.0).collect(),
            Blame::Shard(s, i) => self.services[usize::from(s)].shard_down[usize::from(i)].clone(),
            Blame::Data(s) => {
                let data = self.services[usize::from(s)].data.as_ref();
                let damage = data.and_then(|d| d.damage);
                damage.map(|d| d.1).into_iter().collect()
            }
            Blame::NotPrimary(s, r) => self.faults_of_peers(usize::from(s), usize::from(r)),
        };
        list.sort_unstable();
        list.dedup();
        list
    }

    /// What keeps a replica's process from running.
    pub(crate) fn faults_of_process(&self, service: usize, replica: usize) -> Vec<Fault> {
        let at = self.plan.topology.services[service].replicas[replica].at;
        let mut list = self.faults_of(Blame::Replica(service as u16, replica as u16));
        let spot = self.fabric.net().spot(at);
        self.fabric.spot_faults(spot, &mut list);
        list
    }

    /// What keeps a member of a quorum from its peers.
    fn faults_of_peers(&self, service: usize, replica: usize) -> Vec<Fault> {
        let spec = &self.plan.topology.services[service];
        if spec.mode != Mode::Quorum || !self.services[service].replicas[replica].acts {
            return Vec::new();
        }
        let at = spec.replicas[replica].at;
        let mut list = Vec::new();
        for other in (0..spec.replicas.len()).filter(|o| *o != replica) {
            let down = self.services[service].replicas[other].down.iter();
            list.extend(down.map(|d| d.0));
            let leg = self
                .fabric
                .leg_to_replica(at, Instance::new(service, other));
            list.extend(
                leg.stop
                    .map(|stop| self.fabric.faults_of(stop))
                    .unwrap_or_default(),
            );
        }
        list
    }

    /// How a client meets this failure.
    pub(crate) fn how(&self, blame: Blame) -> How {
        let replica = |s: u16, r: u16| &self.services[usize::from(s)].replicas[usize::from(r)];
        let first = |list: &[(Fault, How)], default: How| list.first().map_or(default, |d| d.1);
        match blame {
            Blame::Way(stop) => self.fabric.how(stop),
            Blame::Replica(s, r) => first(&replica(s, r).down, How::Refuse),
            Blame::NoAnswer(s, r) => first(&replica(s, r).no_answer, How::BlackHole),
            Blame::NotPrimary(..) | Blame::Shard(..) | Blame::Data(_) => How::Refuse,
        }
    }

    /// Says in words what stops a request.
    pub(crate) fn describe(&self, blame: Blame) -> String {
        let topology = self.plan.topology;
        let service = |s: u16| topology.services[usize::from(s)].id.as_str();
        let replica = |s: u16, r: u16| {
            let spec = &topology.services[usize::from(s)];
            format!("service/{}/{}", spec.id, spec.replicas[usize::from(r)].id)
        };
        match blame {
            Blame::Way(stop) => self.fabric.describe(stop),
            Blame::Replica(s, r) => format!("{} is down", replica(s, r)),
            Blame::NoAnswer(s, r) => format!("{} does not answer", replica(s, r)),
            Blame::NotPrimary(s, r) => format!("{} is not primary", replica(s, r)),
            Blame::Shard(s, i) => format!("service/{}/{i} (shard) is down", service(s)),
            Blame::Data(s) => format!(
                "the data of service/{} is damaged or being restored",
                service(s)
            ),
        }
    }
}
