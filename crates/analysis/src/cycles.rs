//! Which links lie on the same cycles, in linear time (Johnson, Pearson and Pingali, 1994).
//!
//! Two links are *cycle equivalent* when every cycle through one goes through the other; exactly
//! then does the failure of both separate what the failure of either does not. A link on no
//! cycle is a bridge. One pass of depth-first search; no recursion, so 100,000 places in a row
//! are no deeper than ten.

/// What a link is to the connectivity of its graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Its failure separates.
    Bridge,
    /// It lies on cycles; links with the same number lie on the same ones.
    Class(u32),
    /// It leads back to where it begins, or was left out.
    Idle,
}

const NONE: u32 = u32::MAX;

/// A graph as lists of links by place, made once for many passes.
#[derive(Clone, Debug)]
pub struct Adjacency {
    first: Vec<u32>,
    /// Link and place at its other end.
    entries: Vec<(u32, u32)>,
    links: usize,
}

impl Adjacency {
    /// Of so many places, joined by these links.
    #[must_use]
    pub fn new(places: usize, ends: &[(u32, u32)]) -> Self {
        let mut first = vec![0u32; places + 1];
        for &(a, b) in ends.iter().filter(|e| e.0 != e.1) {
            first[a as usize + 1] += 1;
            first[b as usize + 1] += 1;
        }
        for place in 0..places {
            first[place + 1] += first[place];
        }
        let mut next = first.clone();
        let mut entries = vec![(0, 0); first[places] as usize];
        for (link, &(a, b)) in ends.iter().enumerate().filter(|(_, e)| e.0 != e.1) {
            for (from, to) in [(a, b), (b, a)] {
                entries[next[from as usize] as usize] = (link as u32, to);
                next[from as usize] += 1;
            }
        }
        Self {
            first,
            entries,
            links: ends.len(),
        }
    }

    /// How many places there are.
    #[must_use]
    pub fn places(&self) -> usize {
        self.first.len() - 1
    }

    /// How many links there are.
    #[must_use]
    pub const fn links(&self) -> usize {
        self.links
    }

    fn at(&self, place: u32) -> std::ops::Range<u32> {
        self.first[place as usize]..self.first[place as usize + 1]
    }
}

/// The buffers of a pass, kept from one to the next so that none is allocated in between.
#[derive(Debug, Default)]
pub struct Pass {
    /// What each link is.
    pub kinds: Vec<Kind>,
    /// How many classes were numbered.
    classes: u32,
    number: Vec<u32>,
    order: Vec<u32>,
    /// The tree link to each place, and the place that it comes from.
    parent: Vec<(u32, u32)>,
    stack: Vec<(u32, u32)>,
    high: Vec<u32>,
    lists: Vec<List>,
    brackets: Vec<Bracket>,
    /// Brackets that end at each place, as chains: the first, and by bracket the next.
    ending: Vec<u32>,
}

/// The brackets that span a tree link, innermost last.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
    size: u32,
}

const EMPTY: List = List {
    head: NONE,
    tail: NONE,
    size: 0,
};

/// A link back to an ancestor, or a cap that stands for several.
#[derive(Clone, Copy, Debug)]
struct Bracket {
    /// The link; [`NONE`] for a cap.
    link: u32,
    before: u32,
    after: u32,
    /// The next bracket that ends at the same place.
    same_end: u32,
    recent_size: u32,
    recent_class: u32,
}

impl Pass {
    /// Looks at the graph without the links that `without` names.
    pub fn run(&mut self, graph: &Adjacency, without: &[u32]) {
        self.prepare(graph);
        self.search(graph, without);
        for i in (0..self.order.len()).rev() {
            self.leave(graph, self.order[i], without);
        }
    }

    /// How many links of each class there are, by its number.
    #[must_use]
    pub fn class_sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.classes as usize];
        for kind in &self.kinds {
            if let Kind::Class(class) = kind {
                sizes[*class as usize] += 1;
            }
        }
        sizes
    }

    fn prepare(&mut self, graph: &Adjacency) {
        let n = graph.places();
        self.kinds.clear();
        self.kinds.resize(graph.links, Kind::Idle);
        self.classes = 0;
        self.number.clear();
        self.number.resize(n, NONE);
        self.parent.clear();
        self.parent.resize(n, (NONE, NONE));
        self.high.clear();
        self.high.resize(n, NONE);
        self.lists.clear();
        self.lists.resize(n, EMPTY);
        self.ending.clear();
        self.ending.resize(n, NONE);
        self.brackets.clear();
        self.order.clear();
        self.stack.clear();
    }

    /// Numbers the places in the order in which a depth-first search meets them.
    fn search(&mut self, graph: &Adjacency, without: &[u32]) {
        for root in 0..graph.places() as u32 {
            if self.number[root as usize] != NONE {
                continue;
            }
            self.meet(root);
            self.stack.push((root, graph.at(root).start));
            while let Some((place, entry)) = self.stack.pop() {
                if entry == graph.at(place).end {
                    continue;
                }
                self.stack.push((place, entry + 1));
                let (link, to) = graph.entries[entry as usize];
                if self.number[to as usize] == NONE && !without.contains(&link) {
                    self.parent[to as usize] = (link, place);
                    self.meet(to);
                    self.stack.push((to, graph.at(to).start));
                }
            }
        }
    }

    fn meet(&mut self, place: u32) {
        self.number[place as usize] = self.order.len() as u32;
        self.order.push(place);
    }

    /// Everything below a place is done: what spans the tree link to it?
    fn leave(&mut self, graph: &Adjacency, place: u32, without: &[u32]) {
        let me = self.number[place as usize];
        let (to_parent, parent) = self.parent[place as usize];
        let (mut own, mut best, mut second) = (NONE, NONE, NONE);
        let mut list = EMPTY;
        for entry in graph.at(place) {
            let (link, to) = graph.entries[entry as usize];
            if without.contains(&link) {
                continue;
            }
            if self.parent[to as usize] == (link, place) {
                let high = self.high[to as usize];
                (best, second) = if high < best {
                    (high, best)
                } else {
                    (best, second.min(high))
                };
                list = self.join(self.lists[to as usize], list);
            } else if link != to_parent && self.number[to as usize] < me {
                own = own.min(self.number[to as usize]);
            }
        }
        self.high[place as usize] = own.min(best);
        self.close(place, &mut list);
        for entry in graph.at(place) {
            let (link, to) = graph.entries[entry as usize];
            let back = link != to_parent
                && self.number[to as usize] < me
                && self.parent[to as usize] != (link, place);
            if back && !without.contains(&link) {
                self.push(&mut list, link, to);
            }
        }
        if second < own.min(me) {
            // Two children reach higher than this place does: a cap keeps their brackets apart.
            let target = self.order[second as usize];
            self.push(&mut list, NONE, target);
        }
        self.lists[place as usize] = list;
        if parent != NONE {
            self.kinds[to_parent as usize] = self.classify(list);
        }
    }

    /// Takes the brackets that end here off the list.
    fn close(&mut self, place: u32, list: &mut List) {
        let mut bracket = self.ending[place as usize];
        while bracket != NONE {
            let Bracket {
                before,
                after,
                same_end,
                link,
                ..
            } = self.brackets[bracket as usize];
            match before {
                NONE => list.head = after,
                b => self.brackets[b as usize].after = after,
            }
            match after {
                NONE => list.tail = before,
                a => self.brackets[a as usize].before = before,
            }
            list.size -= 1;
            if link != NONE && self.kinds[link as usize] == Kind::Idle {
                self.kinds[link as usize] = self.new_class();
            }
            bracket = same_end;
        }
    }

    fn push(&mut self, list: &mut List, link: u32, end: u32) {
        let id = self.brackets.len() as u32;
        self.brackets.push(Bracket {
            link,
            before: list.tail,
            after: NONE,
            same_end: self.ending[end as usize],
            recent_size: NONE,
            recent_class: NONE,
        });
        self.ending[end as usize] = id;
        match list.tail {
            NONE => list.head = id,
            tail => self.brackets[tail as usize].after = id,
        }
        list.tail = id;
        list.size += 1;
    }

    fn join(&mut self, front: List, back: List) -> List {
        if front.size == 0 {
            return back;
        }
        if back.size == 0 {
            return front;
        }
        self.brackets[front.tail as usize].after = back.head;
        self.brackets[back.head as usize].before = front.tail;
        List {
            head: front.head,
            tail: back.tail,
            size: front.size + back.size,
        }
    }

    fn classify(&mut self, list: List) -> Kind {
        if list.size == 0 {
            return Kind::Bridge;
        }
        let top = list.tail as usize;
        if self.brackets[top].recent_size != list.size {
            self.brackets[top].recent_size = list.size;
            let Kind::Class(class) = self.new_class() else {
                return Kind::Idle;
            };
            self.brackets[top].recent_class = class;
        }
        let kind = Kind::Class(self.brackets[top].recent_class);
        let link = self.brackets[top].link;
        if list.size == 1 && link != NONE {
            self.kinds[link as usize] = kind;
        }
        kind
    }

    fn new_class(&mut self) -> Kind {
        self.classes += 1;
        Kind::Class(self.classes - 1)
    }
}
