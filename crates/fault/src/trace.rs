//! Tests as text: what comes to a pipe line by line, and what leaves it, in virtual time.
//!
//! The source is a counter, so that every byte says where it belongs. Lines that come: `5ms data
//! 100`, `5ms end`, `5ms reset`, `5ms attach latency latency=10`, `5ms change latency latency=20`,
//! `5ms detach latency`, `5ms look` (prints what is held). Faults before the first time are there
//! before the connection opens. Lines that leave: `15ms data 100`, `15ms end`.

use crate::{Begun, Direction, FaultId, Item, Nanos, Order, Origin, Pipe, Size, Value, Wire};
use bytes::Bytes;
use std::fmt::Write;

/// A pipe under test.
pub(crate) struct Bench {
    pub pipe: Pipe,
    pub now: Nanos,
    /// Bytes that came so far.
    came: usize,
    /// Bytes that left so far.
    left: usize,
    /// Whether what leaves must be what came, in order.
    is_exact: bool,
    text: String,
}

pub(crate) fn origin(connection: u64) -> Origin {
    Origin {
        seed: 1,
        connection,
        direction: Direction::Downstream,
    }
}

/// The byte that stands at this place of the stream.
pub(crate) fn byte(place: usize) -> u8 {
    (place % 251) as u8
}

/// So many bytes of the stream from this place.
pub(crate) fn bytes(place: usize, len: usize) -> Bytes {
    (place..place + len).map(byte).collect()
}

/// A fault from `latency latency=10 jitter=2`.
pub(crate) fn wire(text: &str) -> Wire {
    let mut words = text.split_whitespace();
    let kind = words.next().expect("a kind");
    let mut wire = Wire::named(kind).expect("a known kind");
    for word in words {
        let (name, value) = word.split_once('=').expect("name=value");
        let value = match (value.parse(), value.parse()) {
            (Ok(int), _) => Value::Int(int),
            (_, Ok(float)) => Value::Float(float),
            _ => Value::Word(value.to_owned()),
        };
        wire.set(name, value).expect("a permitted value");
    }
    wire
}

impl Bench {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            pipe: Pipe::new(order, Size(1 << 20), origin(0)),
            now: Nanos::ZERO,
            came: 0,
            left: 0,
            is_exact: order == Order::Stream,
            text: String::new(),
        }
    }

    /// Polls in time for everything up to `until`.
    pub(crate) fn run(&mut self, until: Nanos) {
        loop {
            while let Some((due, item)) = self.pipe.poll(self.now) {
                assert_eq!(due, self.now, "polled in time, so nothing is late");
                self.note(due, &item);
            }
            match self.pipe.next_wake() {
                Some(at) if at <= until => {
                    assert!(at > self.now, "time goes on");
                    self.now = at;
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    fn note(&mut self, due: Nanos, item: &Item) {
        match item {
            Item::Data(data) => {
                if self.is_exact {
                    let expected = bytes(self.left, data.len());
                    assert!(*data == expected, "the bytes from {} on", self.left);
                }
                self.left += data.len();
                writeln!(self.text, "{due} data {}", data.len())
            }
            Item::End => writeln!(self.text, "{due} end"),
            Item::Close => writeln!(self.text, "{due} close"),
            Item::Reset => writeln!(self.text, "{due} reset"),
        }
        .expect("a string takes everything");
    }

    fn line(&mut self, line: &str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (begun, what) = match Nanos::parse(first) {
            Ok(at) => {
                self.run(at);
                (Begun::Live, rest)
            }
            Err(_) => (Begun::BeforeOpen, line),
        };
        let (verb, detail) = what.split_once(' ').unwrap_or((what, ""));
        let kind = detail.split(' ').next().unwrap_or_default();
        let id = FaultId::named("test", kind);
        match verb {
            "data" => {
                let len = detail.parse().expect("a length");
                self.pipe.input(self.now, Item::Data(bytes(self.came, len)));
                self.came += len;
            }
            "end" => self.pipe.input(self.now, Item::End),
            "reset" => self.pipe.input(self.now, Item::Reset),
            "attach" => self
                .pipe
                .attach(self.now, id, usize::MAX, &wire(detail), begun),
            "change" => assert!(self.pipe.change(self.now, id, &wire(detail)), "{line}"),
            "detach" => assert!(self.pipe.detach(self.now, id), "{line}"),
            "look" => {
                let (now, held, room) = (self.now, self.pipe.held(), self.pipe.room());
                writeln!(self.text, "{now} holds {held}, room {room}").expect("a string");
            }
            other => panic!("`{other}` is no verb"),
        }
        // What passes at once has left before the next line comes.
        self.run(self.now);
    }
}

/// Feeds the lines and compares what left.
#[track_caller]
pub(crate) fn check(lines: &str, expected: &str) {
    check_on(Order::Stream, lines, expected);
}

/// The same for datagrams.
#[track_caller]
pub(crate) fn check_datagrams(lines: &str, expected: &str) {
    check_on(Order::Datagram, lines, expected);
}

#[track_caller]
fn check_on(order: Order, lines: &str, expected: &str) {
    let mut bench = Bench::new(order);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        bench.line(line);
    }
    bench.run(Nanos::hours(24));
    let tidy = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    assert_eq!(tidy(&bench.text), tidy(expected));
}

/// Data that comes at time zero and passes one fault: when each piece leaves, and its length.
pub(crate) fn pieces(fault: &str, chunks: &[usize]) -> Vec<(Nanos, usize)> {
    let mut bench = Bench::new(Order::Stream);
    bench.pipe = Pipe::new(Order::Stream, Size(1 << 30), origin(0));
    bench
        .pipe
        .attach(Nanos::ZERO, FaultId(1), 0, &wire(fault), Begun::BeforeOpen);
    let mut place = 0;
    for len in chunks {
        bench
            .pipe
            .input(Nanos::ZERO, Item::Data(bytes(place, *len)));
        place += len;
    }
    let mut all = Vec::new();
    let mut left = 0;
    while let Some((due, item)) = bench.pipe.poll(Nanos::hours(1_000)) {
        if let Item::Data(data) = item {
            assert!(data == bytes(left, data.len()), "the bytes from {left} on");
            left += data.len();
            all.push((due, data.len()));
        }
    }
    assert_eq!(left, place, "every byte has left");
    all
}
