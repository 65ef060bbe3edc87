//! Things by place, each with a generation: a place is used again, a generation is not.

/// Things of one type.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Puts one in, and says where and of which generation.
    pub(super) fn insert(&mut self, value: T) -> (usize, u32) {
        let place = self.free.pop().unwrap_or(self.entries.len());
        if place == self.entries.len() {
            self.entries.push((0, None));
        }
        let Some(entry) = self.entries.get_mut(place) else {
            return (place, 0);
        };
        entry.1 = Some(value);
        (place, entry.0)
    }

    /// The one in that place.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.entries.get_mut(place)?.1.as_mut()
    }

    /// The one in that place, if it is of this generation.
    pub(super) fn get(&self, place: usize, generation: u32) -> Option<&T> {
        let entry = self.entries.get(place)?;
        entry.1.as_ref().filter(|_| entry.0 == generation)
    }

    /// The generation of what is in that place, or will be next.
    pub(super) fn generation(&self, place: usize) -> u32 {
        self.entries.get(place).map_or(0, |entry| entry.0)
    }

    /// Takes it out.
    pub(super) fn remove(&mut self, place: usize) -> Option<T> {
        let entry = self.entries.get_mut(place)?;
        let value = entry.1.take()?;
        entry.0 = entry.0.wrapping_add(1) & (u32::MAX >> 1);
        self.free.push(place);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_not_taken_for_what_was_there() {
        let mut slab = Slab::new();
        let (place, first) = slab.insert('a');
        slab.insert('b');
        assert_eq!(slab.remove(place), Some('a'));
        assert_eq!(slab.remove(place), None);
        let (again, second) = slab.insert('c');
        assert_eq!(again, place);
        assert_ne!(first, second);
        assert_eq!(slab.get(place, first), None);
        assert_eq!(slab.get(place, second), Some(&'c'));
        assert_eq!(slab.len(), 2);
    }
}
