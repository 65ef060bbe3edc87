//! Indices of named things. A topology gives every thing a small dense index in file order.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u16);

        impl $name {
            /// The place in the topology's list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// Lists are bounded far below 65,536 entries when a file is read.
            fn from(index: usize) -> Self {
                Self(index as u16)
            }
        }
    )*};
}

ids! {
    /// A failure domain (shared-risk group) or an owner.
    DomainId,
    /// A node, or a site class.
    NodeId,
    /// A link, or the circuits of site classes.
    LinkId,
    /// A network that links carry and services are reached from.
    NetworkId,
    /// A partition of sites into groups, such as `wave`.
    PartitionId,
    /// A group of one partition, such as `jan-22`; numbered over all partitions.
    GroupId,
    /// A way for a population to reach the network.
    AccessId,
    /// A service.
    ServiceId,
    /// Users of one kind.
    PopulationId,
    /// What a user does end to end.
    JourneyId,
}
