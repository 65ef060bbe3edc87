//! Amounts of money, exact to the smallest unit of their currency.

use assize_fault::Ppb;
use serde::Serialize;
use std::fmt;

/// Hundredths of a currency unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Money(pub i128);

impl Money {
    /// Reads `1000000` or `1000000.50`.
    ///
    /// # Errors
    /// What to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str =
            "an amount is a number such as `1000000` or `1000000.50`, without a currency";
        let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || whole.len() > 12 || !digits(part) || part.len() > 2 {
            return Err(HELP.into());
        }
        let number = |t: &str| t.parse::<i128>().map_err(|_| HELP.to_string());
        let tens = if part.len() == 1 { 10 } else { 1 };
        Ok(Self(number(whole)? * 100 + number(part)? * tens))
    }

    /// A share of it, rounded once to the smallest unit, half up.
    #[must_use]
    pub fn share(self, parts: Ppb) -> Self {
        let product = self.0 * i128::from(parts.0);
        Self((product + 500_000_000).div_euclid(1_000_000_000))
    }
}

impl fmt::Display for Money {
    /// `1,000,000.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minor = self.0.unsigned_abs();
        let whole = (minor / 100).to_string();
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{grouped}.{:02}", minor % 100)
    }
}

impl Serialize for Money {
    /// A decimal as text, `1000000.50`: programs must not read money as a binary fraction.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let minor = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        s.collect_str(&format_args!("{sign}{}.{:02}", minor / 100, minor % 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_printed_exactly() {
        assert_eq!(Money::parse("1000000"), Ok(Money(100_000_000)));
        assert_eq!(
            Money::parse("1234567.5").unwrap().to_string(),
            "1,234,567.50"
        );
        assert_eq!(Money(7).to_string(), "0.07");
        assert_eq!(Money(-123_456).to_string(), "-1,234.56");
        for bad in [
            "",
            "1,000",
            "£5",
            "1.234",
            ".5",
            "-3",
            "1e6",
            "1234567890123",
        ] {
            assert!(Money::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_is_rounded_once_half_up() {
        // 0.5 % of 0.99 is 0.00495; of 1.00 it is 0.005, which is 0.01.
        assert_eq!(Money(99).share(Ppb(5_000_000)), Money(0));
        assert_eq!(Money(100).share(Ppb(5_000_000)), Money(1));
        assert_eq!(
            Money(100_000_000).share(Ppb(230_000_000)),
            Money(23_000_000)
        );
    }
}
