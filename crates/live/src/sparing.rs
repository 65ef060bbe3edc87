//! How much of a narrow line the run's own attempts may take, so that looking at it does not fill
//! it.
//!
//! A representative tries as often as the machine permits, whatever its users do: over a line of
//! 64 kbit/s that alone would be an outage. So whoever tries over a line that others share tries
//! less often, until all of them together take a tenth of it: as the network is, and as each fault
//! of the plan alone would leave it. Checks and copies are the system's own and left as they are.

use crate::flows::{End, FlowKey, Origin};
use crate::network::Network;
use crate::probe::Crowd;
use crate::users::{Rep, called};
use assize_control::fabric::Line;
use assize_fault::{Bandwidth, Nanos};
use assize_model::faults::Effect;
use assize_model::scenario::Target;
use assize_model::{AccessId, JourneyId, Plan, ServiceId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One part in so many of a line is for attempts.
const PART: u128 = 10;

/// What an exchange takes beside its content, in bytes on the wall each way: the head of a request
/// or an answer.
const HEAD: u64 = 200;

/// The least number of attempts of a representative at a journey in a run, as long as all together
/// leave half of the line.
const LEAST_TRIES: i64 = 20;

/// So many thousandths of its part do not matter.
const SLACK: u128 = 1_050;

/// Turns of routing that are waited for after a fault.
const TURNS: usize = 1_000;

/// Which limited lines each flow leads over, in each state of the network that is looked at.
pub(crate) struct Ways<'a> {
    plan: &'a Plan<'a>,
    keys: &'a [FlowKey],
    /// By state and flow; `None`: nothing passes.
    states: Vec<Vec<Option<Vec<Line>>>>,
}

/// What one attempt takes of one line, in bits each way, and how wide the line is.
#[derive(Clone, Copy)]
struct Take {
    up: u128,
    down: u128,
    line: Line,
}

impl<'a> Ways<'a> {
    /// As the network is, and as each fault alone leaves it. `keys` are in order.
    pub(crate) fn new(plan: &'a Plan<'a>, keys: &'a [FlowKey]) -> Self {
        let limited = plan.topology.links.iter().any(|l| l.bandwidth.is_some());
        let mut effects = plan.scenario.faults.iter().flat_map(|f| &f.effects);
        let narrow = |e: &Effect| matches!(e, Effect::Degrade(d) if d.bandwidth.is_some());
        let mut states = Vec::new();
        if limited || effects.any(narrow) {
            states.push(state(plan, keys, None));
            let faults = 0..plan.scenario.faults.len();
            states.extend(faults.map(|f| state(plan, keys, Some(f))));
        }
        Self { plan, keys, states }
    }

    /// The narrowest line that any flow may lead over.
    pub(crate) fn narrowest(&self) -> Option<Bandwidth> {
        let flows = self.states.iter().flatten().flatten();
        let lines = flows.flatten().map(|line| line.bandwidth);
        lines.filter(|b| b.0 > 0).min()
    }

    /// Lets representatives try less often where their attempts would take more than their part of
    /// a line; says where, and what it costs.
    pub(crate) fn spare(&self, crowd: &mut Crowd, thin: u32) -> Vec<String> {
        let mut stretched: BTreeMap<(usize, usize), u128> = BTreeMap::new();
        let mut notes: BTreeMap<usize, (u128, Bandwidth)> = BTreeMap::new();
        for state in &self.states {
            let mut takes = Vec::new();
            for (r, rep) in crowd.reps.iter().enumerate() {
                for (m, making) in rep.journeys.iter().enumerate() {
                    let all = self.takes(state, rep, making.journey, thin);
                    takes.extend(all.into_values().map(|take| ((r, m), making.every, take)));
                }
            }
            for (circuit, (share, bandwidth)) in shares(&takes) {
                if share <= SLACK {
                    continue;
                }
                let note = notes.entry(circuit).or_insert((share, bandwidth));
                *note = (*note).max((share, bandwidth));
                for (who, ..) in takes.iter().filter(|t| t.2.line.circuit == circuit) {
                    let most = stretched.entry(*who).or_default();
                    *most = share.max(*most);
                }
            }
        }
        let most = self.stretch(crowd, &stretched);
        notes
            .into_iter()
            .map(|(circuit, note)| self.said(circuit, note, most, crowd.every))
            .collect()
    }

    /// Makes intervals so many thousandths as long, and no longer than the run permits; gives the
    /// most by which that is too little, in thousandths.
    fn stretch(&self, crowd: &mut Crowd, by: &BTreeMap<(usize, usize), u128>) -> u128 {
        let span = self.plan.scenario.end + self.plan.scenario.steady_state;
        let longest = Nanos(span.0 / LEAST_TRIES);
        let mut short = 1_000;
        for ((r, m), share) in by {
            // Nobody else holds them before the run.
            let Some(rep) = Arc::get_mut(&mut crowd.reps[*r]) else {
                continue;
            };
            let making = &mut rep.journeys[*m];
            let wanted = times(making.every, *share);
            let half = Nanos(wanted.0 / (PART as i64 / 2));
            let every = wanted.min(longest.max(half)).max(making.every);
            short = short.max(u128::from(wanted.0.unsigned_abs()) * 1_000 / divisor(every));
            let phase = i128::from(making.phase.0) * i128::from(every.0);
            making.phase = Nanos((phase / i128::from(making.every.0.max(1))) as i64);
            making.every = every;
            crowd.every = crowd.every.max(every);
        }
        short
    }

    fn said(
        &self,
        circuit: usize,
        (share, bandwidth): (u128, Bandwidth),
        short: u128,
        every: Nanos,
    ) -> String {
        let link = self.link(circuit);
        let part = if short > 1_000 {
            format!("up to {} % of", (short / 100).min(100))
        } else {
            "a tenth of".to_owned()
        };
        format!(
            "over `{link}` ({bandwidth}) representatives try {}.{} times less often, so that their \
             attempts take {part} the line at most: durations are known to {every} at best",
            share / 1_000,
            share % 1_000 / 100,
        )
    }

    fn link(&self, circuit: usize) -> &str {
        let fabric = assize_control::Fabric::new(self.plan);
        let link = fabric.net().circuits[circuit].link;
        &self.plan.topology.link(link).id
    }

    /// What one attempt takes of each line that others share, over the accesses that its user
    /// would turn to.
    fn takes(
        &self,
        state: &[Option<Vec<Line>>],
        rep: &Rep,
        journey: JourneyId,
        thin: u32,
    ) -> BTreeMap<usize, Take> {
        let topology = self.plan.topology;
        let spec = topology.journey(journey);
        let head = u64::from(thin) * HEAD;
        let mut takes = BTreeMap::new();
        for used in &rep.accesses {
            let access = used.access;
            let needs = &topology.access_path(access).needs;
            let asked = needs.iter().filter(|n| n.cache.is_none());
            let asked = asked.map(|n| (n.service, head, head));
            let heads = head * u64::from(spec.round_trips.max(1));
            let (up, down) = (spec.sends.0 + heads, spec.receives.0 + heads);
            let calls = called(spec).map(|s| (s, up, down));
            let mut served = true;
            for (service, up, down) in asked.chain(calls) {
                let lines = self.lines(state, rep.spot, access, service);
                served &= lines.is_some();
                for line in lines.into_iter().flatten() {
                    // Whoever gives up leaves the line to others.
                    let most = u128::from(line.bandwidth.0) * whole(spec.timeout) / 1_000_000_000;
                    let take = takes.entry(line.circuit).or_insert(Take {
                        up: 0,
                        down: 0,
                        line,
                    });
                    take.up = (take.up + u128::from(up) * 8).min(most);
                    take.down = (take.down + u128::from(down) * 8).min(most);
                    if line.bandwidth < take.line.bandwidth {
                        take.line = line;
                    }
                }
            }
            if served {
                break;
            }
        }
        takes
    }

    /// The shared lines on the ways to the replicas of a service, each once; `None`: no way leads
    /// to any of them.
    fn lines(
        &self,
        state: &[Option<Vec<Line>>],
        spot: usize,
        access: AccessId,
        service: ServiceId,
    ) -> Option<Vec<Line>> {
        let origin = Origin::Users { spot, access };
        let replicas = self.plan.topology.service(service).replicas.len();
        let mut all: Option<Vec<Line>> = None;
        for r in 0..replicas {
            let end = End::Replica(service, r as u16);
            let flow = self.keys.binary_search(&FlowKey { origin, end }).ok();
            let Some(lines) = flow.and_then(|f| state[f].as_ref()) else {
                continue;
            };
            let all = all.get_or_insert_default();
            let shared = lines.iter().filter(|l| l.sites == 1 && l.bandwidth.0 > 0);
            for line in shared {
                if all.iter().all(|known| known.circuit != line.circuit) {
                    all.push(*line);
                }
            }
        }
        all
    }
}

/// How many times their part of each line attempts take, in thousandths, and how wide it is.
fn shares(takes: &[((usize, usize), Nanos, Take)]) -> BTreeMap<usize, (u128, Bandwidth)> {
    // Bits in a thousand seconds, each way.
    let mut sums: BTreeMap<usize, (u128, u128, Bandwidth)> = BTreeMap::new();
    for (_, every, take) in takes {
        let per = |bits: u128| bits * 1_000_000_000_000 / divisor(*every);
        let start = (0, 0, take.line.bandwidth);
        let sum = sums.entry(take.line.circuit).or_insert(start);
        sum.0 += per(take.up);
        sum.1 += per(take.down);
        sum.2 = sum.2.min(take.line.bandwidth);
    }
    let share = |(up, down, line): (u128, u128, Bandwidth)| {
        (
            (up.max(down) * PART).div_ceil(u128::from(line.0.max(1))),
            line,
        )
    };
    sums.into_iter().map(|(c, sum)| (c, share(sum))).collect()
}

/// The network once routing has noticed a fault, by flow.
fn state(plan: &Plan<'_>, keys: &[FlowKey], fault: Option<usize>) -> Vec<Option<Vec<Line>>> {
    let mut network = Network::new(plan, keys);
    let start = Nanos::ZERO;
    if let Some(fault) = fault {
        let home = |target: &Target| match target {
            Target::Primary(s) => {
                let replicas = &plan.topology.service(*s).replicas;
                let home = replicas.iter().position(|r| r.primary).unwrap_or(0);
                Target::Replica(*s, home as u16)
            }
            other => other.clone(),
        };
        let targets: Vec<Target> = plan.scenario.faults[fault]
            .targets
            .iter()
            .map(home)
            .collect();
        network.on_fault(start, fault, &targets, true);
    }
    network.refresh(start);
    for _ in 0..TURNS {
        let Some(at) = network.next_wake() else { break };
        network.on_wake(at);
        network.refresh(at);
    }
    (0..keys.len()).map(|flow| network.lines(flow)).collect()
}

fn whole(length: Nanos) -> u128 {
    u128::from(length.0.max(0).unsigned_abs())
}

fn divisor(length: Nanos) -> u128 {
    whole(length).max(1)
}

/// So many thousandths of it.
fn times(length: Nanos, thousandths: u128) -> Nanos {
    let long = whole(length).saturating_mul(thousandths) / 1_000;
    Nanos(i64::try_from(long).unwrap_or(i64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realise::flow_keys;
    use assize_model::file::{LoadOptions, MemorySource, load_scenario};

    /// What is said, and how often each representative tries afterwards.
    fn spared(bandwidth: &str, timeline: &str, end: &str) -> (Vec<String>, Nanos, Nanos) {
        let text = format!(
            "assize: scenario/v1
topology:
  nodes: {{office: {{kind: site}}, hub: {{kind: switch}}}}
  links: {{line: {{between: [office, hub], bandwidth: {bandwidth}}}}}
  access: {{wired: {{via: [line]}}}}
  services: {{app: {{replicas: {{a: {{at: hub}}}}}}}}
  populations: {{staff: {{at: {{office: 640}}, access: [wired], makes: {{use: 1/h}}}}}}
  journeys: {{use: {{calls: [app], receives: 4KiB, timeout: 5s}}}}
timeline: [{timeline}]
steady_state: {{for: 0s}}
end: {end}
"
        );
        let files = MemorySource::new([("s.yaml", &text)]);
        let load = LoadOptions {
            live: true,
            ..LoadOptions::default()
        };
        let read = load_scenario(&files, "s.yaml".as_ref(), &load);
        let (topology, scenario, _) = read.unwrap_or_else(|p| panic!("{p}"));
        let plan = Plan::new(&topology, &scenario, 0);
        let keys: Vec<FlowKey> = flow_keys(&plan).into_iter().collect();
        let mut crowd = Crowd::new(&plan, 1, 800);
        assert_eq!(crowd.reps.len(), 8);
        let said = Ways::new(&plan, &keys).spare(&mut crowd, 1);
        let making = &crowd.reps[0].journeys[0];
        assert!(making.phase < making.every);
        (said, making.every, crowd.every)
    }

    #[test]
    fn attempts_take_a_tenth_of_a_narrow_line_and_the_resolution_is_said() {
        let (said, every, longest) = spared("64kbit/s", "", "1h");
        // An answer has 4,096 bytes and its head 200: 34,368 bits. Eight representatives take
        // 6,400 bit/s of it when each tries every 8 × 34,368 / 6,400 s.
        assert_eq!(every, Nanos(42_960_000_000));
        assert_eq!(longest, every);
        assert_eq!(said.len(), 1);
        let expected = "over `line` (64kbit/s) representatives try 214.8 times less often";
        assert!(said[0].starts_with(expected), "{said:?}");
        assert!(said[0].ends_with("known to 42.96s at best"), "{said:?}");
    }

    #[test]
    fn a_wide_line_costs_nothing() {
        // 8 × 34,368 bits in 200 ms are 1.4 Mbit/s.
        let (said, every, _) = spared("14Mbit/s", "", "1h");
        assert_eq!((said, every), (Vec::new(), Nanos::millis(200)));
    }

    #[test]
    fn a_line_that_a_fault_makes_narrow_is_spared_all_along() {
        let narrow = "{at: 0s, fault: degrade, target: link/line, bandwidth: 64kbit/s, for: 1m}";
        let (said, every, _) = spared("1Gbit/s", narrow, "1h");
        assert_eq!(every, Nanos(42_960_000_000), "{said:?}");
    }

    #[test]
    fn a_short_run_still_looks_and_says_how_much_it_takes() {
        // 10 minutes allow 30 s at most, where 42.96 s would take a tenth: it is 14 %.
        let (said, every, _) = spared("64kbit/s", "", "10m");
        assert_eq!(every, Nanos::secs(30));
        assert!(said[0].contains("take up to 14 % of the line"), "{said:?}");
    }
}
