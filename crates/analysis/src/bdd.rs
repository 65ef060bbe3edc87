//! Binary decision diagrams of coherent functions (Bryant, 1986): reduced and ordered.
//!
//! Only what a coherent structure needs: conjunction and disjunction. Nodes are never freed; a
//! function that needs more of them than the limit is given up, and the caller tries another
//! order of variables. There is no reordering here.

/// The constant "not failed".
pub(crate) const ZERO: u32 = 0;
/// The constant "failed".
pub(crate) const ONE: u32 = 1;

/// The level of a constant: below every variable.
pub(crate) const BOTTOM: u32 = u32::MAX;

/// More nodes would be needed than are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

/// One node: if the variable of its level has failed, `high`, else `low`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) level: u32,
    pub(crate) low: u32,
    pub(crate) high: u32,
}

/// Nodes of which no two are equal, found by content.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) nodes: Vec<Node>,
    slots: Vec<u32>,
    limit: usize,
}

const EMPTY: u32 = u32::MAX;

impl Table {
    pub(crate) fn new(limit: usize) -> Self {
        let constant = Node {
            level: BOTTOM,
            low: 0,
            high: 0,
        };
        Self {
            nodes: vec![constant; 2],
            slots: vec![EMPTY; 1 << 10],
            limit,
        }
    }

    pub(crate) fn node(&self, node: u32) -> Node {
        self.nodes[node as usize]
    }

    /// The node with this content, found or made.
    pub(crate) fn find(&mut self, node: Node) -> Result<u32, Full> {
        if self.nodes.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = mix(node.level, node.low, node.high) as usize & mask;
        while self.slots[at] != EMPTY {
            if self.nodes[self.slots[at] as usize] == node {
                return Ok(self.slots[at]);
            }
            at = (at + 1) & mask;
        }
        if self.nodes.len() >= self.limit {
            return Err(Full);
        }
        let id = self.nodes.len() as u32;
        self.slots[at] = id;
        self.nodes.push(node);
        Ok(id)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(size, EMPTY);
        for (id, node) in self.nodes.iter().enumerate().skip(2) {
            let mut at = mix(node.level, node.low, node.high) as usize & (size - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = id as u32;
        }
    }
}

/// Spreads three numbers over 64 bits.
pub(crate) const fn mix(a: u32, b: u32, c: u32) -> u64 {
    let mut h = (a as u64) ^ ((b as u64) << 32 | c as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h = (h ^ (h >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h ^ (h >> 32)
}

/// Results of operations, by operands; a newer one may displace an older one.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: Vec<[u32; 4]>,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            entries: vec![[EMPTY; 4]; 1 << 12],
        }
    }

    fn slot(&self, op: u32, a: u32, b: u32) -> usize {
        mix(op, a, b) as usize & (self.entries.len() - 1)
    }

    pub(crate) fn get(&self, op: u32, a: u32, b: u32) -> Option<u32> {
        let entry = self.entries[self.slot(op, a, b)];
        (entry[..3] == [op, a, b]).then_some(entry[3])
    }

    /// Keeps a result; the cache grows with the number of nodes, up to 2^24 entries (256 MiB).
    pub(crate) fn put(&mut self, op: u32, a: u32, b: u32, result: u32, nodes: usize) {
        if nodes > self.entries.len() && self.entries.len() < 1 << 24 {
            let size = self.entries.len() * 4;
            let old = std::mem::replace(&mut self.entries, vec![[EMPTY; 4]; size]);
            for entry in old.into_iter().filter(|e| e[0] != EMPTY) {
                let slot = self.slot(entry[0], entry[1], entry[2]);
                self.entries[slot] = entry;
            }
        }
        let slot = self.slot(op, a, b);
        self.entries[slot] = [op, a, b, result];
    }
}

/// A manager of diagrams over one order of variables.
#[derive(Debug)]
pub(crate) struct Bdd {
    pub(crate) table: Table,
    cache: Cache,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    And,
    Or,
}

impl Bdd {
    /// Room for so many nodes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            table: Table::new(limit),
            cache: Cache::new(),
        }
    }

    /// The variable of a level.
    pub(crate) fn variable(&mut self, level: u32) -> Result<u32, Full> {
        self.make(level, ZERO, ONE)
    }

    fn make(&mut self, level: u32, low: u32, high: u32) -> Result<u32, Full> {
        if low == high {
            return Ok(low);
        }
        self.table.find(Node { level, low, high })
    }

    pub(crate) fn and(&mut self, a: u32, b: u32) -> Result<u32, Full> {
        self.apply(Op::And, a, b)
    }

    pub(crate) fn or(&mut self, a: u32, b: u32) -> Result<u32, Full> {
        self.apply(Op::Or, a, b)
    }

    /// All of them, or one of them: two and two, so that intermediate results stay small.
    pub(crate) fn join(&mut self, mut list: Vec<u32>, conjunction: bool) -> Result<u32, Full> {
        // From the bottom of the order upwards, each step touches the fewest levels.
        list.sort_unstable_by_key(|f| std::cmp::Reverse((self.table.node(*f).level, *f)));
        let mut result = if conjunction { ONE } else { ZERO };
        for f in list {
            result = if conjunction {
                self.and(result, f)?
            } else {
                self.or(result, f)?
            };
        }
        Ok(result)
    }

    /// At least `k` of the list. As the functions are coherent, "if f then t else e" with e
    /// implying t is (f and t) or e.
    pub(crate) fn at_least(&mut self, k: usize, mut list: Vec<u32>) -> Result<u32, Full> {
        list.sort_unstable_by_key(|f| std::cmp::Reverse((self.table.node(*f).level, *f)));
        // reached[j]: at least j of those seen so far.
        let mut reached = vec![ZERO; k + 1];
        reached[0] = ONE;
        for f in list {
            for j in (1..=k).rev() {
                let with = self.and(f, reached[j - 1])?;
                reached[j] = self.or(with, reached[j])?;
            }
        }
        Ok(reached[k])
    }

    fn apply(&mut self, op: Op, a: u32, b: u32) -> Result<u32, Full> {
        let (dominant, neutral) = match op {
            Op::And => (ZERO, ONE),
            Op::Or => (ONE, ZERO),
        };
        if a == b || b == neutral {
            return Ok(a);
        }
        if a == neutral {
            return Ok(b);
        }
        if a == dominant || b == dominant {
            return Ok(dominant);
        }
        let (a, b) = if a < b { (a, b) } else { (b, a) };
        if let Some(known) = self.cache.get(op as u32, a, b) {
            return Ok(known);
        }
        let (na, nb) = (self.table.node(a), self.table.node(b));
        let level = na.level.min(nb.level);
        let (a0, a1) = if na.level == level {
            (na.low, na.high)
        } else {
            (a, a)
        };
        let (b0, b1) = if nb.level == level {
            (nb.low, nb.high)
        } else {
            (b, b)
        };
        let low = self.apply(op, a0, b0)?;
        let high = self.apply(op, a1, b1)?;
        let result = self.make(level, low, high)?;
        self.cache
            .put(op as u32, a, b, result, self.table.nodes.len());
        Ok(result)
    }
}
