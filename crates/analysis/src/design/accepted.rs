//! Which single points are known and owned: `accepted:` of the topology.

use assize_model::topology::{Accepted, Topology};

/// The acceptances of single points.
#[derive(Debug)]
pub(crate) struct Register<'a> {
    list: Vec<&'a Accepted>,
}

impl<'a> Register<'a> {
    pub(crate) fn of(topology: &'a Topology) -> Self {
        Self {
            list: topology
                .accepted
                .iter()
                .filter(|a| a.single_point.is_some())
                .collect(),
        }
    }

    /// The acceptance of an element for a journey. A name without its kind means any kind, a
    /// service any of its replicas; without a journey it holds for all.
    pub(crate) fn find(&self, element: &str, journey: &str) -> Option<&'a Accepted> {
        let bare = element.split_once('/').map_or(element, |s| s.1);
        let names = [element, bare];
        let meant = |name: &str| {
            names.iter().any(|n| {
                *n == name
                    || n.strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with(['/', '@']))
            })
        };
        self.list.iter().copied().find(|a| {
            a.single_point
                .as_ref()
                .is_some_and(|(name, of)| meant(name) && of.as_deref().is_none_or(|j| j == journey))
        })
    }
}
