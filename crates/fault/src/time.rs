//! Integer nanoseconds: durations, and instants counted from a scenario's start.

use core::fmt;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, Mul, Neg, Rem, Sub, SubAssign};

/// A duration or an instant, in nanoseconds. Instants count from the scenario's `start`.
///
/// One type serves both: the arithmetic of the engines mixes them all the time, and the
/// field's own formulas (`detect = phase + (fall − 1) × every + timeout`) read the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Nanos(pub i64);

impl Nanos {
    /// No time at all; as an instant, the scenario's start.
    pub const ZERO: Self = Self(0);
    /// Later than every instant of a scenario (half the range, so that sums cannot overflow).
    pub const NEVER: Self = Self(i64::MAX / 2);
    /// The longest duration a file may state: 100 years of 365 days.
    pub const LONGEST: Self = Self(100 * 365 * 86_400 * 1_000_000_000);

    /// Whole seconds.
    #[must_use]
    pub const fn secs(s: i64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn millis(ms: i64) -> Self {
        Self(ms * 1_000_000)
    }

    /// Whole minutes.
    #[must_use]
    pub const fn mins(m: i64) -> Self {
        Self::secs(m * 60)
    }

    /// Whole hours.
    #[must_use]
    pub const fn hours(h: i64) -> Self {
        Self::secs(h * 3600)
    }

    /// Whether this is [`Nanos::NEVER`] or beyond.
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 >= Self::NEVER.0
    }

    /// As seconds, for display and ratios only; decisions use the integer.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Reads `90s`, `4h`, `1h30m`, `250ms`, `1.5s`, `2d`, `0`.
    ///
    /// # Errors
    /// What is wrong and what to write, as a fragment that fits after the offending text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let t = text.trim();
        if t == "0" {
            return Ok(Self::ZERO);
        }
        let mut rest = t;
        let mut sum: i128 = 0;
        if rest.is_empty() {
            return Err("a duration is missing; write for example `90s`, `15m`, `4h`".into());
        }
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let unit_len = after
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(after.len());
            let (unit, next) = after.split_at(unit_len);
            let scale: i128 = match unit.trim() {
                "ns" => 1,
                "us" | "µs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" | "min" => 60 * 1_000_000_000,
                "h" => 3_600 * 1_000_000_000,
                "d" => 86_400 * 1_000_000_000,
                "w" => 7 * 86_400 * 1_000_000_000,
                "" => return Err("a duration needs a unit: ns, us, ms, s, m, h, d or w".into()),
                other => {
                    return Err(format!(
                        "`{other}` is not a unit of time; write ns, us, ms, s, m, h, d or w"
                    ));
                }
            };
            let value = crate::unit::decimal(number, 9)
                .ok_or("a duration is a number and a unit, for example `90s`, `1h30m`")?;
            sum += value * scale / 1_000_000_000;
            if sum > i128::from(Self::LONGEST.0) {
                return Err("a duration is at most 100 years".into());
            }
            rest = next.trim_start();
        }
        Ok(Self(sum as i64))
    }
}

/// The shortest exact form a person would write: `15m`, `1h 30m`, `1m 35.53s`, `900ms`.
///
/// Sub-second parts are rounded to milliseconds above one second (the JSON form carries the
/// exact integer beside it).
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("never");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let ns = self.0.unsigned_abs();
        if ns == 0 {
            return f.write_str("0s");
        }
        if ns < 1_000 {
            return write!(f, "{ns}ns");
        }
        if ns < 1_000_000 {
            return write!(f, "{}us", trim(ns, 1_000));
        }
        if ns < 1_000_000_000 {
            return write!(f, "{}ms", trim(ns, 1_000_000));
        }
        let ms = (ns + 500_000) / 1_000_000;
        let (d, h, m) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
        let s = ms % 60_000;
        let mut parts = Vec::new();
        for (n, unit) in [(d, "d"), (h, "h"), (m, "m")] {
            if n > 0 {
                parts.push(format!("{n}{unit}"));
            }
        }
        if s > 0 {
            parts.push(format!("{}s", trim(s, 1_000)));
        }
        f.write_str(&parts.join(" "))
    }
}

fn trim(value: u64, unit: u64) -> String {
    let whole = value / unit;
    let frac = (value % unit) * 1_000 / unit;
    if frac == 0 {
        return whole.to_string();
    }
    format!("{whole}.{frac:03}")
        .trim_end_matches('0')
        .to_string()
}

impl<'de> serde::Deserialize<'de> for Nanos {
    /// Reads what `Serialize` writes, and a plain number of nanoseconds.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(i64),
            Shown { ns: i64 },
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Plain(ns) | Either::Shown { ns } => Self(ns),
        })
    }
}

impl serde::Serialize for Nanos {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = s.serialize_struct("Nanos", 2)?;
        out.serialize_field("ns", &self.0)?;
        out.serialize_field("text", &self.to_string())?;
        out.end()
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl Neg for Nanos {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Mul<i64> for Nanos {
    type Output = Self;
    fn mul(self, n: i64) -> Self {
        Self(self.0 * n)
    }
}
impl Div<i64> for Nanos {
    type Output = Self;
    fn div(self, n: i64) -> Self {
        Self(self.0 / n)
    }
}
impl Rem for Nanos {
    type Output = Self;
    fn rem(self, other: Self) -> Self {
        Self(self.0.rem_euclid(other.0))
    }
}
impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl SubAssign for Nanos {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ns) in [
            ("90s", 90_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1h 30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("900ms", 900_000_000),
            ("2d", 172_800_000_000_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(Nanos::parse(text), Ok(Nanos(ns)), "{text}");
        }
        for bad in [
            "",
            "5",
            "5 parsecs",
            "s",
            "1..5s",
            "-5s",
            "99999999999h",
            "5s,",
        ] {
            assert!(Nanos::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prints_what_people_write() {
        for (ns, text) in [
            (0, "0s"),
            (95_531_250_000, "1m 35.531s"),
            (5_400_000_000_000, "1h 30m"),
            (900_000_000, "900ms"),
            (86_400_000_000_000, "1d"),
            (-1_500_000_000, "-1.5s"),
        ] {
            assert_eq!(Nanos(ns).to_string(), text);
        }
    }
}
