//! Minimal cut sets as a zero-suppressed diagram (Minato, 1993), made from a binary decision
//! diagram (Rauzy, 1993): 10^11 of them are counted without listing any.

use crate::bdd::{BOTTOM, Cache, Full, Node, ONE, Table, ZERO};
use crate::diagram::Diagram;

/// Operations share a cache; only one is cached here.
const WITHOUT: u32 = 0;

struct Minimal<'a> {
    of: &'a Diagram,
    sets: Table,
    cache: Cache,
    known: Vec<u32>,
}

/// The minimal cut sets of a diagram, with room for `limit` nodes.
pub(crate) fn minimal(of: &Diagram, limit: usize) -> Result<Diagram, Full> {
    let mut work = Minimal {
        of,
        sets: Table::new(limit),
        cache: Cache::new(),
        known: vec![u32::MAX; of.nodes.len()],
    };
    let root = work.minimal(of.root())?;
    Ok(Diagram::extract(&work.sets, root))
}

impl Minimal<'_> {
    /// The empty family is [`ZERO`], the family of the empty set [`ONE`].
    fn minimal(&mut self, f: u32) -> Result<u32, Full> {
        if f <= ONE {
            return Ok(f);
        }
        if self.known[f as usize] != u32::MAX {
            return Ok(self.known[f as usize]);
        }
        let node = self.of.nodes[f as usize];
        let low = self.minimal(node.low)?;
        let high = self.minimal(node.high)?;
        // With the variable, only what does not fail without it.
        let high = self.without(high, node.low)?;
        let result = self.make(node.level, low, high)?;
        self.known[f as usize] = result;
        Ok(result)
    }

    /// The sets of a family that do not make the function fail.
    fn without(&mut self, sets: u32, f: u32) -> Result<u32, Full> {
        if sets == ZERO || f == ONE {
            return Ok(ZERO);
        }
        if f == ZERO {
            return Ok(sets);
        }
        if sets == ONE {
            // A coherent function that is not constant does not fail on the empty set.
            return Ok(ONE);
        }
        if let Some(known) = self.cache.get(WITHOUT, sets, f) {
            return Ok(known);
        }
        let (s, g) = (self.sets.node(sets), self.of.nodes[f as usize]);
        let result = if g.level < s.level {
            self.without(sets, g.low)?
        } else {
            let (g0, g1) = if g.level == s.level {
                (g.low, g.high)
            } else {
                (f, f)
            };
            let low = self.without(s.low, g0)?;
            let high = self.without(s.high, g1)?;
            self.make(s.level, low, high)?
        };
        let size = self.sets.nodes.len();
        self.cache.put(WITHOUT, sets, f, result, size);
        Ok(result)
    }

    fn make(&mut self, level: u32, low: u32, high: u32) -> Result<u32, Full> {
        if high == ZERO {
            return Ok(low);
        }
        debug_assert!(level < BOTTOM);
        self.sets.find(Node { level, low, high })
    }
}
