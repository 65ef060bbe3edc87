//! Figures and instants as people write them. Display only: nothing decides on this text.

use assize_fault::Nanos;

/// Months, as instants show them.
pub(crate) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A share from 0 to 1 as a percentage. Only what is exactly all prints as `100%`, and only
/// what is exactly nothing as `0%`: digits are added until that is so. What was not measured
/// prints as `-`.
#[must_use]
pub fn share(value: f64) -> String {
    if value.is_nan() {
        return "-".into();
    }
    if value == 1.0 {
        return "100%".into();
    }
    if value == 0.0 {
        return "0%".into();
    }
    let percent = value * 100.0;
    for places in 2..9 {
        let text = format!("{percent:.places$}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text != "100" && text != "0" {
            return format!("{text}%");
        }
    }
    if value > 0.5 {
        "just under 100%".into()
    } else {
        "just over 0%".into()
    }
}

/// A whole number with its thousands apart: `16,496`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// User-hours, with as many places as matter.
#[must_use]
pub fn user_hours(value: f64) -> String {
    if value.is_nan() {
        return "-".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return if text == "0" {
            "< 0.01".into()
        } else {
            text.into()
        };
    }
    count(value.round() as u64)
}

/// `1 fault`, `2 faults`.
#[must_use]
pub fn number(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// Words joined by commas and a final `and`.
#[must_use]
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// A sentence with a capital at its beginning.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A duration to the precision that a table needs: as exact as [`Nanos`] prints it below an
/// hour, whole seconds above.
#[must_use]
pub fn about(time: Nanos) -> String {
    if time.is_never() || time < Nanos::hours(1) {
        return time.to_string();
    }
    let second = 1_000_000_000;
    Nanos((time.0 + second / 2) / second * second).to_string()
}

/// Prints instants of one scenario: the time of day alone if it lies within one day, and the
/// instant too.
#[derive(Clone, Debug)]
pub struct Clock {
    only_day: Option<String>,
}

impl Clock {
    /// For a scenario that lasts from `start` to `end` (RFC 3339).
    #[must_use]
    pub fn new(start: &str, end: &str) -> Self {
        let day = start.get(..10).filter(|day| end.get(..10) == Some(*day));
        Self {
            only_day: day.map(str::to_owned),
        }
    }

    /// `08:00`, `08:00:06.5`, or `16 Jan 08:00` if the scenario lasts beyond a day. Text that is
    /// not an instant is returned as it is.
    #[must_use]
    pub fn show(&self, instant: &str) -> String {
        let Some((_, month, day, time)) = parts(instant) else {
            return instant.to_owned();
        };
        match (&self.only_day, instant.get(..10)) {
            (Some(day), Some(own)) if day == own => time,
            (Some(_), _) => Self::full(instant),
            _ => format!("{day} {month} {time}"),
        }
    }

    /// Text in which every instant is shown so.
    #[must_use]
    pub fn within(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((at, len)) = find_instant(rest) {
            out.push_str(&rest[..at]);
            out.push_str(&self.show(&rest[at..at + len]));
            rest = &rest[at + len..];
        }
        out.push_str(rest);
        out
    }

    /// With date and year: `16 Jan 2019 08:00`.
    #[must_use]
    pub fn full(instant: &str) -> String {
        match parts(instant) {
            Some((year, month, day, time)) => format!("{day} {month} {year} {time}"),
            None => instant.to_owned(),
        }
    }
}

/// The place and length of the first RFC 3339 instant in UTC.
fn find_instant(text: &str) -> Option<(usize, usize)> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let fits = |window: &[u8]| {
        window.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            shape => byte == shape,
        })
    };
    let at = bytes.windows(SHAPE.len()).position(fits)?;
    let after = &bytes[at + SHAPE.len()..];
    let fraction = after
        .iter()
        .take_while(|b| **b == b'.' || b.is_ascii_digit())
        .count();
    (after.get(fraction) == Some(&b'Z')).then_some((at, SHAPE.len() + fraction + 1))
}

/// Year, month, day and time of day of an RFC 3339 instant; seconds only where they say
/// something.
fn parts(instant: &str) -> Option<(&str, &'static str, &str, String)> {
    let month: usize = instant.get(5..7)?.parse().ok()?;
    let month = MONTHS.get(month.checked_sub(1)?)?;
    let day = instant.get(8..10)?.trim_start_matches('0');
    let time = instant.get(11..)?;
    let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let time = time.get(..end)?;
    let time = match time.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            rest => format!("{whole}.{rest}"),
        },
        None => time.to_owned(),
    };
    let time = time
        .strip_suffix(":00")
        .filter(|t| t.len() == 5)
        .unwrap_or(&time)
        .to_owned();
    Some((instant.get(..4)?, month, day, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        for (value, text) in [
            (1.0, "100%"),
            (0.0, "0%"),
            (0.75, "75%"),
            (0.125, "12.5%"),
            (0.999_999, "99.9999%"),
            (0.000_001, "0.0001%"),
            (1.0 - 1e-15, "just under 100%"),
            (0.898_76, "89.88%"),
        ] {
            assert_eq!(share(value), text);
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(count(16_496), "16,496");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(user_hours(0.001), "< 0.01");
        assert_eq!(user_hours(62.5), "62.5");
        assert_eq!(user_hours(12_345.4), "12,345");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(number(1, "fault", "faults"), "1 fault");
    }

    #[test]
    fn instants_are_as_short_as_the_scenario_allows() {
        let day = Clock::new("2019-01-16T08:00:00Z", "2019-01-16T12:00:00Z");
        assert_eq!(day.show("2019-01-16T08:00:00Z"), "08:00");
        assert_eq!(day.show("2019-01-16T08:00:06.500Z"), "08:00:06.5");
        assert_eq!(day.show("2019-01-16T08:00:06Z"), "08:00:06");
        assert_eq!(day.show("2019-01-17T08:00:00Z"), "17 Jan 2019 08:00");
        let week = Clock::new("2019-01-16T08:00:00Z", "2019-01-25T12:00:00Z");
        assert_eq!(week.show("2019-01-06T08:00:00Z"), "6 Jan 08:00");
        assert_eq!(week.show("whenever"), "whenever");
        assert_eq!(Clock::full("2019-01-16T08:00:00Z"), "16 Jan 2019 08:00");
    }

    #[test]
    fn instants_within_text_are_shortened_where_they_stand() {
        let day = Clock::new("2019-01-16T08:00:00Z", "2019-01-16T12:00:00Z");
        assert_eq!(
            day.within("from 2019-01-16T08:00:00Z to 2019-01-16T08:00:06.500Z, é"),
            "from 08:00 to 08:00:06.5, é"
        );
        assert_eq!(day.within("2019-01-16"), "2019-01-16");
    }

    #[test]
    fn long_durations_lose_their_milliseconds_only() {
        assert_eq!(about(Nanos(95_531_250_000)), "1m 35.531s");
        assert_eq!(about(Nanos::hours(30) + Nanos::millis(1_400)), "1d 6h 1s");
    }
}
