//! What happens, what is seen, and when two sights are the same.

use assize_fault::{Nanos, Order, Value, Wire};

/// Early and late.
const EARLY: Nanos = Nanos::millis(5);
const LATE: Nanos = Nanos::millis(60);

/// What happens to a connection.
pub(super) struct Script {
    pub order: Order,
    /// Faults that are there before the connection.
    pub before: Vec<Wire>,
    /// What happens later, since the connection was opened.
    pub steps: Vec<(Nanos, Step)>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The server sends these bytes.
    Data(Vec<u8>),
    /// The server ends its stream.
    End,
    Attach(Wire),
    Change(Wire),
    Detach(String),
}

/// What the client sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sight {
    Data(Vec<u8>),
    End,
    Reset,
}

/// A sight and when it was.
pub(super) type Seen = Vec<(Nanos, Sight)>;

impl Script {
    /// Reads `attach KIND name=value…` before the first time, then `20ms data 100`, `20ms end`,
    /// `20ms attach …`, `20ms change …`, `20ms detach KIND`.
    pub(super) fn read(order: Order, lines: &str) -> Self {
        let mut script = Self {
            order,
            before: Vec::new(),
            steps: Vec::new(),
        };
        let mut sent = 0;
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (first, rest) = line.split_once(' ').expect("two words at least");
            let Ok(at) = Nanos::parse(first) else {
                script.before.push(wire(rest));
                continue;
            };
            let (verb, detail) = rest.split_once(' ').unwrap_or((rest, ""));
            let step = match verb {
                "data" => {
                    let len: usize = detail.parse().expect("a length");
                    sent += len;
                    Step::Data((sent - len..sent).map(|n| (n % 251) as u8).collect())
                }
                "end" => Step::End,
                "attach" => Step::Attach(wire(detail)),
                "change" => Step::Change(wire(detail)),
                "detach" => Step::Detach(detail.to_owned()),
                other => panic!("`{other}` is no verb"),
            };
            script.steps.push((at, step));
        }
        script
    }
}

fn wire(text: &str) -> Wire {
    let mut words = text.split_whitespace();
    let mut wire = Wire::named(words.next().expect("a kind")).expect("a known kind");
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

/// Whether what was seen is what was expected, in time.
pub(super) fn compare(order: Order, expected: &Seen, seen: &Seen) -> Result<(), String> {
    let same = match order {
        Order::Stream => compare_streams(expected, seen),
        Order::Datagram => compare_datagrams(expected, seen),
    };
    same.map_err(|why| {
        format!(
            "{why}\nexpected {}\nbut seen {}",
            text(expected),
            text(seen)
        )
    })
}

fn in_time(what: &str, expected: Nanos, seen: Nanos) -> Result<(), String> {
    if seen + EARLY < expected || expected + LATE < seen {
        return Err(format!("{what} at {seen} instead of {expected}"));
    }
    Ok(())
}

/// A stream has no pieces: each byte, and the end, must come in time.
fn compare_streams(expected: &Seen, seen: &Seen) -> Result<(), String> {
    let bytes = |all: &Seen| -> Vec<(Nanos, u8)> {
        all.iter()
            .flat_map(|(at, sight)| match sight {
                Sight::Data(data) => data.iter().map(|byte| (*at, *byte)).collect(),
                Sight::End | Sight::Reset => Vec::new(),
            })
            .collect()
    };
    let (should, came) = (bytes(expected), bytes(seen));
    if should.len() != came.len() {
        return Err(format!("{} bytes instead of {}", came.len(), should.len()));
    }
    for (place, (should, came)) in should.iter().zip(&came).enumerate() {
        if should.1 != came.1 {
            return Err(format!(
                "byte {place} is {} instead of {}",
                came.1, should.1
            ));
        }
        in_time(&format!("byte {place}"), should.0, came.0)?;
    }
    let end = |all: &Seen| {
        all.last()
            .filter(|(_, s)| !matches!(s, Sight::Data(_)))
            .cloned()
    };
    match (end(expected), end(seen)) {
        (None, None) => Ok(()),
        (Some(should), Some(came)) if should.1 == came.1 => in_time("the end", should.0, came.0),
        (should, came) => Err(format!("it ends with {came:?} instead of {should:?}")),
    }
}

/// Each datagram must come, once for each time that it should, in time; those that should come
/// close together may change places.
fn compare_datagrams(expected: &Seen, seen: &Seen) -> Result<(), String> {
    if expected.len() != seen.len() {
        return Err(format!(
            "{} datagrams instead of {}",
            seen.len(),
            expected.len()
        ));
    }
    let mut left = seen.clone();
    for (should, sight) in expected {
        let place = left.iter().position(|(_, other)| other == sight);
        let place = place.ok_or("a datagram is missing")?;
        let (came, _) = left.remove(place);
        in_time("a datagram", *should, came)?;
    }
    Ok(())
}

fn text(seen: &Seen) -> String {
    let mut lines = String::new();
    for (at, sight) in seen.iter().take(40) {
        let what = match sight {
            Sight::Data(data) => format!("{} bytes", data.len()),
            Sight::End => "the end".to_owned(),
            Sight::Reset => "a reset".to_owned(),
        };
        lines += &format!("\n  {at} {what}");
    }
    lines
}
