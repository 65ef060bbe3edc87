//! Service hours, demand windows, bank holidays, and instants of a daily schedule.
//!
//! Local times are read in the topology's zone, across changes of the clock; zone data is
//! bundled. It knows no present time.

use crate::holidays::ENGLAND_AND_WALES;
use assize_fault::Nanos;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Time zone and bank holidays of a topology.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The zone in which hours are read.
    pub zone: TimeZone,
    /// Dates on which service hours do not apply.
    pub holidays: Holidays,
}

/// Which bank holidays count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holidays {
    /// None.
    None,
    /// Bank holidays of England and Wales, bundled.
    EnglandAndWales,
}

/// Minutes after midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimeOfDay(pub u16);

/// Windows of a week: `Mon-Fri 08:00-18:00`, `08:30-09:15` (every day), joined by commas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    /// Windows.
    pub windows: Vec<Window>,
}

/// One window of each of some days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Days, Monday first.
    pub days: [bool; 7],
    /// Opens.
    pub from: TimeOfDay,
    /// Closes, at most 24:00; not before it opens.
    pub to: TimeOfDay,
    /// Whether bank holidays are left out (true where days are named as working days).
    pub not_on_holidays: bool,
}

/// Spans in order, disjoint.
pub type Spans = Vec<(Nanos, Nanos)>;

/// The most windows in one text of hours.
const MAX_WINDOWS: usize = 64;
const DAY_MINUTES: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl TimeOfDay {
    /// Reads `08:30` or `24:00`.
    ///
    /// # Errors
    /// What to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "a time of day is for example `08:30`, at most `24:00`";
        let (hours, minutes) = text.trim().split_once(':').ok_or(HELP)?;
        let number = |t: &str| {
            (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok())
        };
        let (Some(Some(h)), Some(Some(m))) = (number(hours), number(minutes)) else {
            return Err(HELP.into());
        };
        if m > 59 || h * 60 + m > DAY_MINUTES {
            return Err(HELP.into());
        }
        Ok(Self(h * 60 + m))
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Hours {
    /// Reads `Mon-Fri 08:00-18:00, Sat 09:00-12:00`, `08:30-09:15` (every day).
    ///
    /// A window that names days, and not all seven, leaves out bank holidays.
    ///
    /// # Errors
    /// What to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut windows = Vec::new();
        for part in text.split(',') {
            if windows.len() == MAX_WINDOWS {
                return Err(format!("at most {MAX_WINDOWS} windows"));
            }
            windows.push(Window::parse(part.trim())?);
        }
        Ok(Self { windows })
    }

    /// When these hours apply between two instants, counted from `start`: in order, disjoint.
    #[must_use]
    pub fn spans(&self, calendar: &Calendar, start: Timestamp, from: Nanos, to: Nanos) -> Spans {
        let mut spans = Spans::new();
        for date in dates(calendar, start, from, to) {
            for window in &self.windows {
                if !window.applies(calendar, date) {
                    continue;
                }
                let edge = |t: TimeOfDay| calendar.instant(date, t, start);
                let (Some(open), Some(close)) = (edge(window.from), edge(window.to)) else {
                    continue;
                };
                let (open, close) = (open.max(from), close.min(to));
                if open < close {
                    spans.push((open, close));
                }
            }
        }
        spans.sort_unstable();
        let mut joined = Spans::new();
        for (open, close) in spans {
            match joined.last_mut() {
                Some(last) if open <= last.1 => last.1 = last.1.max(close),
                _ => joined.push((open, close)),
            }
        }
        joined
    }
}

impl Window {
    fn parse(text: &str) -> Result<Self, String> {
        const HELP: &str = "hours are for example `Mon-Fri 08:00-18:00, Sat 09:00-12:00`";
        let (days, times) = match text.rsplit_once(char::is_whitespace) {
            Some((days, times)) => (Some(days.trim()), times),
            None => (None, text),
        };
        let (from, to) = times.split_once('-').ok_or(HELP)?;
        let (from, to) = (TimeOfDay::parse(from)?, TimeOfDay::parse(to)?);
        if to <= from {
            return Err(format!(
                "`{times}` closes before it opens; write two windows, `{from}-24:00` and `00:00-{to}`"
            ));
        }
        let days = days.map_or(Ok([true; 7]), parse_days)?;
        let not_on_holidays = days.contains(&false);
        Ok(Self {
            days,
            from,
            to,
            not_on_holidays,
        })
    }

    fn applies(&self, calendar: &Calendar, date: Date) -> bool {
        let day = date.weekday().to_monday_zero_offset() as usize;
        self.days[day] && !(self.not_on_holidays && calendar.is_holiday(date))
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let day = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        let full = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        DAYS.iter()
            .zip(full)
            .position(|(&short, long)| name == short || name == long)
            .ok_or_else(|| {
                format!("`{name}` is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
            })
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let mut days = [false; 7];
    let mut at = first;
    loop {
        days[at] = true;
        if at == last {
            return Ok(days);
        }
        at = (at + 1) % 7;
    }
}

impl Calendar {
    /// Reads an instant: `2019-01-22T06:30:00Z`, with an offset, or local to the zone
    /// (`2019-01-22T06:30`); as time since `start`.
    ///
    /// # Errors
    /// What to write.
    pub fn local(&self, text: &str, start: Timestamp) -> Result<Nanos, String> {
        since(self.timestamp(text)?, start)
            .ok_or_else(|| format!("`{text}` is too far from the scenario's start"))
    }

    /// As [`Calendar::local`], as an instant.
    ///
    /// # Errors
    /// What to write.
    pub fn timestamp(&self, text: &str) -> Result<Timestamp, String> {
        const HELP: &str =
            "an instant is for example `2019-01-22T06:30:00Z`, or local: `2019-01-22T06:30`";
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(instant);
        }
        let local: DateTime = text.parse().map_err(|_| HELP.to_string())?;
        let zoned = self
            .zone
            .to_ambiguous_zoned_datetime(local)
            .compatible()
            .map_err(|_| HELP.to_string())?;
        Ok(zoned.timestamp())
    }

    /// Whether a date is a bank holiday of this calendar. Years outside 2012 to 2030 have none.
    #[must_use]
    pub fn is_holiday(&self, date: Date) -> bool {
        if self.holidays == Holidays::None {
            return false;
        }
        let year = ENGLAND_AND_WALES
            .iter()
            .find(|&&(year, _)| year == date.year());
        year.is_some_and(|&(_, days)| days.contains(&(date.month(), date.day())))
    }

    /// A time of a date as time since `start`; of a time that the clock skips, the later one.
    fn instant(&self, date: Date, at: TimeOfDay, start: Timestamp) -> Option<Nanos> {
        let (date, minutes) = if at.0 >= DAY_MINUTES {
            (date.tomorrow().ok()?, 0)
        } else {
            (date, at.0)
        };
        let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()?;
        let zoned = self
            .zone
            .to_ambiguous_zoned_datetime(date.to_datetime(time))
            .compatible()
            .ok()?;
        since(zoned.timestamp(), start)
    }
}

/// The nearest that two instants may be apart and still be counted in nanoseconds.
fn since(instant: Timestamp, start: Timestamp) -> Option<Nanos> {
    let ns = instant.as_nanosecond() - start.as_nanosecond();
    let ns = i64::try_from(ns).ok()?;
    (ns.abs() <= Nanos::LONGEST.0).then_some(Nanos(ns))
}

/// The instant so long after `start`.
#[must_use]
pub fn after(start: Timestamp, offset: Nanos) -> Option<Timestamp> {
    Timestamp::from_nanosecond(start.as_nanosecond() + i128::from(offset.0)).ok()
}

/// The local dates that a stretch of time touches, with one more on either side.
fn dates(calendar: &Calendar, start: Timestamp, from: Nanos, to: Nanos) -> Vec<Date> {
    let date = |offset: Nanos| Some(calendar.zone.to_datetime(after(start, offset)?).date());
    let (Some(first), Some(last)) = (date(from), date(to)) else {
        return Vec::new();
    };
    let first = first.yesterday().unwrap_or(first);
    let last = last.tomorrow().unwrap_or(last);
    let mut dates = Vec::new();
    let mut next = Some(first);
    while let Some(date) = next.filter(|&d| d <= last) {
        dates.push(date);
        next = date.tomorrow().ok();
    }
    dates
}

/// The instants of a schedule in `from..to`, as time since `start`.
///
/// With a time of day, the first of each local day is at that time, and the others follow every
/// `every` until the next day's first; for more than a day, the first is on the date of `start`
/// (and that date's schedule is carried on both ways in whole days). Without one, instants are
/// multiples of `every`, counted from `start`. `every` is positive.
#[must_use]
pub fn daily_instants(
    every: Nanos,
    at: Option<TimeOfDay>,
    calendar: &Calendar,
    start: Timestamp,
    from: Nanos,
    to: Nanos,
) -> Vec<Nanos> {
    if every <= Nanos::ZERO {
        return Vec::new();
    }
    let mut instants = Vec::new();
    let Some(at) = at else {
        let mut next = Nanos((from.0 + every.0 - 1).div_euclid(every.0) * every.0);
        while next < to {
            instants.push(next);
            next += every;
        }
        return instants;
    };
    let days = (every.0 / Nanos::hours(24).0).max(1);
    let home = calendar.zone.to_datetime(start).date();
    for date in dates(calendar, start, from, to) {
        let Ok(apart) = home.until(date) else {
            continue;
        };
        if i64::from(apart.get_days()).rem_euclid(days) != 0 {
            continue;
        }
        let next_day = date.checked_add(1.day()).ok();
        let first = calendar.instant(date, at, start);
        let (Some(mut next), Some(stop)) =
            (first, next_day.and_then(|d| calendar.instant(d, at, start)))
        else {
            continue;
        };
        while next < stop {
            if next >= from && next < to {
                instants.push(next);
            }
            if every >= Nanos::hours(24) {
                break;
            }
            next += every;
        }
    }
    instants
}

/// The zone with this name.
///
/// # Errors
/// What to write.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| "a time zone is a name of the IANA database, such as `Europe/London`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> Calendar {
        Calendar {
            zone: zone("Europe/London").unwrap(),
            holidays: Holidays::EnglandAndWales,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_read_and_refused() {
        let hours = Hours::parse("Mon-Fri 08:00-18:00, Sat 09:00-12:00, 23:00-24:00").unwrap();
        assert_eq!(hours.windows.len(), 3);
        assert!(hours.windows[0].not_on_holidays && !hours.windows[2].not_on_holidays);
        assert_eq!(hours.windows[2].to, TimeOfDay(1440));
        assert!(Hours::parse("Sun-Tue 08:00-09:00").unwrap().windows[0].days[0]);
        for bad in [
            "",
            "Mon",
            "8-9",
            "Mon-Fri 18:00-08:00",
            "Foo 08:00-09:00",
            "08:60-09:00",
            "25:00-26:00",
            ",,",
        ] {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_week_in_january_2019() {
        // Tuesday 1 January is the only bank holiday of that month.
        let hours = Hours::parse("Mon-Fri 08:00-18:00").unwrap();
        let spans = hours.spans(
            &london(),
            at("2018-12-31T00:00:00Z"),
            Nanos::ZERO,
            Nanos::hours(7 * 24),
        );
        let days: Vec<i64> = spans.iter().map(|s| s.0.0 / Nanos::hours(24).0).collect();
        assert_eq!(days, [0, 2, 3, 4]);
        assert_eq!(spans[0], (Nanos::hours(8), Nanos::hours(18)));
    }

    #[test]
    fn the_night_of_the_clock_change_is_an_hour_short() {
        // 31 March 2019, 01:00 GMT becomes 02:00 BST.
        let hours = Hours::parse("00:00-24:00").unwrap();
        let spans = hours.spans(
            &london(),
            at("2019-03-31T00:00:00Z"),
            Nanos::ZERO,
            Nanos::hours(100),
        );
        assert_eq!(spans, [(Nanos::ZERO, Nanos::hours(100))]);
        let hours = Hours::parse("00:00-03:00").unwrap();
        let spans = hours.spans(
            &london(),
            at("2019-03-31T00:00:00Z"),
            Nanos::ZERO,
            Nanos::hours(12),
        );
        assert_eq!(spans, [(Nanos::ZERO, Nanos::hours(2))]);
    }

    #[test]
    fn spans_are_clipped_and_joined() {
        let hours = Hours::parse("08:00-10:00, 09:00-11:00").unwrap();
        let spans = hours.spans(
            &london(),
            at("2019-01-16T08:30:00Z"),
            Nanos::ZERO,
            Nanos::hours(1),
        );
        assert_eq!(spans, [(Nanos::ZERO, Nanos::hours(1))]);
    }

    #[test]
    fn a_nightly_backup_keeps_its_local_time() {
        let instants = daily_instants(
            Nanos::hours(24),
            Some(TimeOfDay(30)),
            &london(),
            at("2019-03-30T12:00:00Z"),
            Nanos::hours(-24),
            Nanos::hours(48),
        );
        // 30 March 00:30 GMT, 31 March 00:30 GMT, 1 April 00:30 BST = 31 March 23:30 UTC.
        let expected = [
            Nanos::mins(-11 * 60 - 30),
            Nanos::mins(12 * 60 + 30),
            Nanos::mins(35 * 60 + 30),
        ];
        assert_eq!(instants, expected);
    }

    #[test]
    fn schedules_of_less_and_more_than_a_day() {
        let run = |every, at_, to| {
            daily_instants(
                every,
                at_,
                &london(),
                at("2019-01-16T00:00:00Z"),
                Nanos::ZERO,
                to,
            )
        };
        let six = run(Nanos::hours(6), Some(TimeOfDay(60)), Nanos::hours(24));
        assert_eq!(six, [1, 7, 13, 19].map(Nanos::hours));
        let weekly = run(Nanos::hours(168), Some(TimeOfDay(0)), Nanos::hours(400));
        assert_eq!(weekly, [0, 168, 336].map(Nanos::hours));
        assert_eq!(
            run(Nanos::hours(5), None, Nanos::hours(11)),
            [0, 5, 10].map(Nanos::hours)
        );
    }

    #[test]
    fn instants_with_and_without_an_offset() {
        let start = at("2019-01-16T08:00:00Z");
        assert_eq!(
            london().local("2019-01-16T09:00", start),
            Ok(Nanos::hours(1))
        );
        assert_eq!(
            london().local("2019-01-16T09:00:00Z", start),
            Ok(Nanos::hours(1))
        );
        assert_eq!(
            london().local("2019-01-16T09:00:00+01:00", start),
            Ok(Nanos::ZERO)
        );
        assert!(london().local("yesterday", start).is_err());
        assert!(london().local("9999-01-01T00:00", start).is_err());
    }

    #[test]
    fn bank_holidays_as_proclaimed() {
        let is = |y, m, d| london().is_holiday(Date::new(y, m, d).unwrap());
        for (y, m, d) in [
            (2019, 1, 1),
            (2019, 4, 19),
            (2020, 5, 8),
            (2022, 9, 19),
            (2023, 5, 8),
            (2021, 12, 28),
        ] {
            assert!(is(y, m, d), "{y}-{m}-{d}");
        }
        for (y, m, d) in [(2019, 1, 16), (2020, 5, 4), (2022, 5, 30), (2021, 12, 25)] {
            assert!(!is(y, m, d), "{y}-{m}-{d}");
        }
        assert!(ENGLAND_AND_WALES.iter().all(|(_, days)| days.len() >= 8));
    }

    proptest::proptest! {
        #[test]
        fn spans_are_in_order_and_within(text in "(Mon-Fri |Sat |)0[0-9]:[0-5]0-1[0-9]:[0-5]0", from in 0i64..2_000, len in 0i64..2_000) {
            let hours = Hours::parse(&text).unwrap();
            let (from, to) = (Nanos::mins(from), Nanos::mins(from + len));
            let spans = hours.spans(&london(), at("2019-03-30T00:00:00Z"), from, to);
            proptest::prop_assert!(spans.iter().all(|s| from <= s.0 && s.0 < s.1 && s.1 <= to));
            proptest::prop_assert!(spans.windows(2).all(|w| w[0].1 < w[1].0));
        }

        #[test]
        fn any_text_gives_hours_or_an_error(text in ".{0,40}") {
            let _ = Hours::parse(&text);
            let _ = london().local(&text, at("2019-03-30T00:00:00Z"));
        }
    }
}
