//! Calendar months, which the periods of a contract are made of.

use crate::calendar::Calendar;
use assize_fault::Nanos;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fmt;

/// A calendar month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// From 1.
    pub month: i8,
}

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Month {
    /// Reads `2019-01`.
    ///
    /// # Errors
    /// What to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a month is for example `2019-01`";
        let date = format!("{text}-01").parse::<Date>();
        let plain = text.len() == 7 && text.as_bytes()[4] == b'-';
        let date = date.ok().filter(|_| plain).ok_or(HELP)?;
        Ok(Self::of(date))
    }

    /// The month of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
        }
    }

    /// The month in which an instant lies, by a calendar.
    #[must_use]
    pub fn at(calendar: &Calendar, instant: Timestamp) -> Self {
        Self::of(calendar.zone.to_datetime(instant).date())
    }

    /// Months since year 0.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.year as i32 * 12 + self.month as i32 - 1
    }

    /// So many months later (or earlier).
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        let number = self.number() + months;
        Self {
            year: number.div_euclid(12) as i16,
            month: (number.rem_euclid(12) + 1) as i8,
        }
    }

    /// Its first instant, counted from `start`.
    #[must_use]
    pub fn begins(self, calendar: &Calendar, start: Timestamp) -> Nanos {
        let date = Date::new(self.year, self.month, 1).unwrap_or(Date::ZERO);
        let zoned = calendar
            .zone
            .to_ambiguous_zoned_datetime(date.to_datetime(jiff::civil::Time::midnight()));
        let instant = zoned.compatible().map_or(start, |zoned| zoned.timestamp());
        let ns = instant.as_nanosecond() - start.as_nanosecond();
        Nanos(i64::try_from(ns).unwrap_or(Nanos::NEVER.0))
    }

    /// `January 2019`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{} {}", self.word(), self.year)
    }

    /// `January`.
    #[must_use]
    pub fn word(self) -> &'static str {
        let index = usize::try_from(self.month - 1).ok();
        index.and_then(|i| NAMES.get(i)).unwrap_or(&"?")
    }
}

impl fmt::Display for Month {
    /// `2019-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl serde::Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_counted_over_the_year() {
        let month = Month::parse("2018-11").unwrap();
        assert_eq!(month.plus(2).to_string(), "2019-01");
        assert_eq!(month.plus(-11).to_string(), "2017-12");
        assert_eq!(month.plus(2).name(), "January 2019");
        for bad in ["2019", "2019-13", "2019-1", "2019-01-01", "19-01", "x"] {
            assert!(Month::parse(bad).is_err(), "{bad}");
        }
    }
}
