//! Shares, rates, bandwidths and sizes as exact integers.

use crate::time::Nanos;
use core::fmt;

/// A share in parts per billion: `12.5%` is 125,000,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Ppb(pub u64);

impl Ppb {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ONE: Self = Self(1_000_000_000);

    /// As a number from 0 to 1, for display and JSON only.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// What is left of the whole.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(1_000_000_000_u64.saturating_sub(self.0))
    }

    /// Reads `12.5%`, `0.125`, `1`, `0`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a share is a percentage such as `12.5%`, or a number from 0 to 1";
        let t = text.trim();
        let (number, places) = match t.strip_suffix('%') {
            Some(n) => (n.trim(), 7),
            None => (t, 9),
        };
        let value = decimal(number, places).ok_or(HELP)?;
        if value > 1_000_000_000 {
            return Err("a share is at most 100%".into());
        }
        Ok(Self(value as u64))
    }
}

impl fmt::Display for Ppb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 / 10_000_000;
        let frac = format!("{:07}", self.0 % 10_000_000);
        let frac = frac.trim_end_matches('0');
        if frac.is_empty() {
            write!(f, "{whole}%")
        } else {
            write!(f, "{whole}.{frac}%")
        }
    }
}

impl serde::Serialize for Ppb {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.as_f64())
    }
}

/// So many events in so long: `micro` millionths of an event per `per`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// Millionths of an event.
    pub micro: u64,
    /// In this long. Positive.
    pub per: Nanos,
}

impl Rate {
    /// Whole events per second.
    #[must_use]
    pub const fn per_second(n: u64) -> Self {
        Self {
            micro: n * 1_000_000,
            per: Nanos::secs(1),
        }
    }

    /// Reads `278/s`, `0.2/h`, `5%/h`, `20/min`, `3/d`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a rate is a number per unit of time, for example `278/s`, `0.2/h`";
        let (number, unit) = text.trim().split_once('/').ok_or(HELP)?;
        let number = number.trim();
        let (number, places) = match number.strip_suffix('%') {
            Some(n) => (n.trim(), 4),
            None => (number, 6),
        };
        let micro = decimal(number, places).ok_or(HELP)?;
        let per = match unit.trim() {
            "s" => Nanos::secs(1),
            "m" | "min" => Nanos::mins(1),
            "h" => Nanos::hours(1),
            "d" => Nanos::hours(24),
            _ => return Err("a rate is per s, min, h or d, for example `278/s`".into()),
        };
        if micro > 1_000_000_000_000_000 {
            return Err("a rate is at most a thousand million events".into());
        }
        Ok(Self {
            micro: micro as u64,
            per,
        })
    }

    /// The time between two events of this rate; [`Nanos::NEVER`] for a rate of zero.
    #[must_use]
    pub fn period(self) -> Nanos {
        if self.micro == 0 {
            return Nanos::NEVER;
        }
        let ns = i128::from(self.per.0) * 1_000_000 / i128::from(self.micro);
        Nanos(ns.min(i128::from(Nanos::NEVER.0)) as i64)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.0 / 1_000_000_000 {
            60 => "min",
            3600 => "h",
            86_400 => "d",
            _ => "s",
        };
        let frac = format!("{:06}", self.micro % 1_000_000);
        let frac = frac.trim_end_matches('0');
        let whole = self.micro / 1_000_000;
        if frac.is_empty() {
            write!(f, "{whole}/{unit}")
        } else {
            write!(f, "{whole}.{frac}/{unit}")
        }
    }
}

/// Bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bandwidth(pub u64);

impl Bandwidth {
    /// Reads `100Mbit/s`, `10Gbit/s`, `64kbit/s`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a bandwidth is for example `100Mbit/s` (bit/s, kbit/s, Mbit/s, Gbit/s)";
        let t = text.trim();
        let split = t.find(|c: char| c.is_ascii_alphabetic()).ok_or(HELP)?;
        let (number, unit) = t.split_at(split);
        let scale: i128 = match unit {
            "bit/s" | "bps" => 1,
            "kbit/s" | "kbps" => 1_000,
            "Mbit/s" | "Mbps" => 1_000_000,
            "Gbit/s" | "Gbps" => 1_000_000_000,
            "Tbit/s" => 1_000_000_000_000,
            _ => return Err(HELP.into()),
        };
        let bits = decimal(number.trim(), 6).ok_or(HELP)? * scale / 1_000_000;
        if bits > 1_000_000_000_000_000 {
            return Err("a bandwidth is at most 1000 Tbit/s".into());
        }
        Ok(Self(bits as u64))
    }

    /// How long so many bytes take, rounded up; [`Nanos::NEVER`] at zero bandwidth.
    #[must_use]
    pub fn time_for(self, bytes: u64) -> Nanos {
        if bytes == 0 {
            return Nanos::ZERO;
        }
        if self.0 == 0 {
            return Nanos::NEVER;
        }
        let ns = (i128::from(bytes) * 8 * 1_000_000_000).div_euclid(i128::from(self.0));
        let rounded =
            ns + i128::from(i128::from(bytes) * 8 * 1_000_000_000 % i128::from(self.0) != 0);
        Nanos(rounded.min(i128::from(Nanos::NEVER.0)) as i64)
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (scale, unit) in [
            (1_000_000_000, "Gbit/s"),
            (1_000_000, "Mbit/s"),
            (1_000, "kbit/s"),
        ] {
            if self.0 >= scale && self.0.is_multiple_of(scale / 1_000) {
                return write!(f, "{}{unit}", self.0 as f64 / scale as f64);
            }
        }
        write!(f, "{}bit/s", self.0)
    }
}

/// Bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Size(pub u64);

impl Size {
    /// Reads `300KiB`, `1.2TiB`, `20kB`, `512B`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a size is for example `64KiB`, `1.2TiB`, `20kB`, `512B`";
        let t = text.trim();
        let split = t.find(|c: char| c.is_ascii_alphabetic()).ok_or(HELP)?;
        let (number, unit) = t.split_at(split);
        let scale: i128 = match unit {
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return Err(HELP.into()),
        };
        let bytes = decimal(number.trim(), 6).ok_or(HELP)? * scale / 1_000_000;
        if bytes > 1 << 60 {
            return Err("a size is at most 1 EiB".into());
        }
        Ok(Self(bytes as u64))
    }
}

/// Reads a non-negative decimal exactly, scaled by ten to the power `places`.
pub(crate) fn decimal(text: &str, places: usize) -> Option<i128> {
    let (whole, frac) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 18 || frac.len() > 18 {
        return None;
    }
    if !whole
        .bytes()
        .chain(frac.bytes())
        .all(|b| b.is_ascii_digit())
        || text.ends_with('.')
    {
        return None;
    }
    let mut value: i128 = whole.parse().ok()?;
    let mut digits = frac.bytes();
    for _ in 0..places {
        value = value * 10 + digits.next().map_or(0, |b| i128::from(b - b'0'));
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        assert_eq!(Ppb::parse("12.5%"), Ok(Ppb(125_000_000)));
        assert_eq!(Ppb::parse("0.125"), Ok(Ppb(125_000_000)));
        assert_eq!(Ppb::parse("1"), Ok(Ppb::ONE));
        assert!(Ppb::parse("101%").is_err());
        assert!(Ppb::parse("12.5 percent").is_err());
        assert_eq!(Ppb(125_000_000).to_string(), "12.5%");
    }

    #[test]
    fn rates_and_their_periods() {
        assert_eq!(Rate::parse("1/s").map(Rate::period), Ok(Nanos::secs(1)));
        assert_eq!(Rate::parse("0.2/h").map(Rate::period), Ok(Nanos::hours(5)));
        assert_eq!(Rate::parse("5%/h").map(Rate::period), Ok(Nanos::hours(20)));
        assert_eq!(Rate::parse("0/s").map(Rate::period), Ok(Nanos::NEVER));
        assert!(Rate::parse("278").is_err());
    }

    #[test]
    fn bandwidths_and_sizes() {
        assert_eq!(Bandwidth::parse("100Mbit/s"), Ok(Bandwidth(100_000_000)));
        assert_eq!(Bandwidth(8).time_for(1), Nanos::secs(1));
        assert!(Bandwidth::parse("100MB").is_err());
        assert_eq!(Size::parse("64KiB"), Ok(Size(65_536)));
        assert_eq!(Size::parse("1.5kB"), Ok(Size(1_500)));
    }
}
