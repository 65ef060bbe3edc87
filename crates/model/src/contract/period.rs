//! Measurement periods of a contract: calendar months, or quarters.

use super::Month;
use crate::calendar::Calendar;
use assize_fault::Nanos;
use jiff::Timestamp;
use std::fmt;

/// So many calendar months, one or three.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Period {
    /// The first month.
    pub from: Month,
    /// How many.
    pub months: u8,
}

impl Period {
    /// Of periods of so many months, one of which begins with `origin`: that in which a month
    /// lies.
    #[must_use]
    pub const fn of(origin: Month, months: u8, month: Month) -> Self {
        let into = (month.number() - origin.number()).rem_euclid(months as i32);
        Self {
            from: month.plus(-into),
            months,
        }
    }

    /// So many periods later (or earlier).
    #[must_use]
    pub const fn plus(self, periods: i32) -> Self {
        Self {
            from: self.from.plus(periods * self.months as i32),
            months: self.months,
        }
    }

    /// The last month.
    #[must_use]
    pub const fn last(self) -> Month {
        self.from.plus(self.months as i32 - 1)
    }

    /// All months.
    pub fn each(self) -> impl Iterator<Item = Month> {
        (0..i32::from(self.months)).map(move |n| self.from.plus(n))
    }

    /// First and last instant, counted from `start`.
    #[must_use]
    pub fn span(self, calendar: &Calendar, start: Timestamp) -> (Nanos, Nanos) {
        let begins = |period: Self| period.from.begins(calendar, start);
        (begins(self), begins(self.plus(1)))
    }

    /// `January 2019`, `January to March 2019`, `November 2018 to January 2019`.
    #[must_use]
    pub fn name(self) -> String {
        let (first, last) = (self.from.name(), self.last().name());
        if self.months == 1 {
            return first;
        }
        let same = self.from.year == self.last().year;
        let first = if same { self.from.word() } else { &first };
        format!("{first} to {last}")
    }

    /// What a period of the contract is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.months {
            1 => "month",
            _ => "quarter",
        }
    }
}

impl fmt::Display for Period {
    /// `2019-01`, or `2019-01/2019-03`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            1 => write!(f, "{}", self.from),
            _ => write!(f, "{}/{}", self.from, self.last()),
        }
    }
}

impl serde::Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_count_from_their_origin_over_the_year() {
        let month = |text: &str| Month::parse(text).expect("a month");
        let of = |origin: &str, at: &str| Period::of(month(origin), 3, month(at));
        assert_eq!(of("2019-01", "2019-02").name(), "January to March 2019");
        // Of a contract from November 2017 on, and before it.
        let period = of("2017-11", "2019-01");
        assert_eq!(period.name(), "November 2018 to January 2019");
        assert_eq!(period.to_string(), "2018-11/2019-01");
        assert_eq!(of("2017-11", "2017-10").to_string(), "2017-08/2017-10");
        assert_eq!(period.plus(1).from, month("2019-02"));
        let single = Period::of(month("2017-11"), 1, month("2019-01"));
        assert_eq!(
            (single.name(), single.to_string()),
            ("January 2019".into(), "2019-01".into())
        );
    }
}
