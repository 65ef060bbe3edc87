//! Where an instant stands between the start of a scenario and its end.

use crate::words;

/// Thousandths of the width: the unit of everything that is drawn over time.
pub(super) const WIDTH: f64 = 1000.0;

/// The time axis of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    start: i64,
    end: i64,
}

/// A mark on the axis.
pub(super) struct Tick {
    /// In per cent of the width.
    pub(super) at: f64,
    /// What stands beside it.
    pub(super) text: String,
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Distances between ticks, in milliseconds.
const STEPS: [i64; 15] = [
    1_000,
    5_000,
    10_000,
    30_000,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    DAY,
    7 * DAY,
    30 * DAY,
];
/// Ticks at most, so that their texts have room on a telephone; of those with seconds, fewer.
const MOST: i64 = 9;
const MOST_LONG: i64 = 6;

impl Axis {
    /// From start to end (RFC 3339); one second long at least.
    pub(super) fn new(start: &str, end: &str) -> Self {
        let start = millis(start).unwrap_or(0);
        let end = millis(end).unwrap_or(start);
        Self {
            start,
            end: end.max(start + 1_000),
        }
    }

    /// The place of an instant (RFC 3339), in thousandths of the width; the nearer end if it lies
    /// outside or is none.
    pub(super) fn instant(&self, instant: &str) -> f64 {
        self.place(millis(instant).unwrap_or(self.start))
    }

    /// The place of so many nanoseconds after the start.
    pub(super) fn offset(&self, nanos: i64) -> f64 {
        self.place(self.start + nanos / 1_000_000)
    }

    /// The instant so many nanoseconds after the start, with its day if there are several.
    pub(super) fn text(&self, nanos: i64) -> String {
        let at = self.start + nanos / 1_000_000;
        let (_, month, day) = civil(at.div_euclid(DAY));
        let time = label(at.rem_euclid(DAY).max(1), MINUTE);
        let time = if at.rem_euclid(DAY) == 0 {
            "00:00"
        } else {
            &time
        };
        if self.start.div_euclid(DAY) == self.end.div_euclid(DAY) {
            return time.to_owned();
        }
        format!("{day} {} {time}", words::MONTHS[month - 1])
    }

    fn place(&self, at: i64) -> f64 {
        let at = at.clamp(self.start, self.end) - self.start;
        at as f64 * WIDTH / (self.end - self.start) as f64
    }

    /// Days, hours or less, as many as fit.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let length = self.end - self.start;
        let most = |step: &i64| if *step < MINUTE { MOST_LONG } else { MOST };
        let step = STEPS.into_iter().find(|step| length / step <= most(step));
        let step = step.unwrap_or(length / MOST + 1);
        let first = self.start.div_euclid(step) * step + step;
        let instants = std::iter::successors(Some(first), |at| Some(at + step));
        let inside = instants.take_while(|at| *at < self.end);
        inside
            .map(|at| Tick {
                at: self.place(at) / WIDTH * 100.0,
                text: label(at, step),
            })
            .collect()
    }
}

/// A tick in as few letters as its step allows.
fn label(at: i64, step: i64) -> String {
    let (_, month, day) = civil(at.div_euclid(DAY));
    let time = at.rem_euclid(DAY);
    if step >= DAY || time == 0 {
        return format!("{day} {}", words::MONTHS[month - 1]);
    }
    let (hours, minutes) = (time / HOUR, time % HOUR / MINUTE);
    match time % MINUTE / 1_000 {
        0 if step >= MINUTE => format!("{hours:02}:{minutes:02}"),
        seconds => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// Milliseconds from 1970 of an RFC 3339 instant in UTC.
fn millis(text: &str) -> Option<i64> {
    let field = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let fraction = text.get(19..)?.strip_prefix('.').unwrap_or("");
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).take(3);
    let (value, count) = digits.fold((0, 0), |(value, count), digit| {
        (value * 10 + i64::from(digit - b'0'), count + 1)
    });
    let milli = value * 10_i64.pow(3 - count);
    let days = days(year, month, day);
    Some(days * DAY + hour * HOUR + minute * MINUTE + second * 1_000 + milli)
}

/// Days from 1970 of a date of the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days from 1970.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_their_place() {
        let axis = Axis::new("2019-01-16T08:00:00Z", "2019-01-16T12:00:00Z");
        assert_eq!(axis.instant("2019-01-16T09:00:00Z"), 250.0);
        assert_eq!(axis.instant("2019-01-16T10:00:00.000Z"), 500.0);
        assert_eq!(axis.offset(3_600_000_000_000), 250.0);
        assert_eq!(axis.instant("2019-01-17T00:00:00Z"), 1000.0);
        assert_eq!(axis.instant("never"), 0.0);
        assert_eq!(axis.text(3_600_000_000_000), "09:00");
        let days = Axis::new("2019-01-16T08:00:00Z", "2019-01-18T00:00:00Z");
        assert_eq!(days.text(57_600_000_000_000), "17 Jan 00:00");
        assert_eq!(days.text(61_000_000_000), "16 Jan 08:01:01");
    }

    #[test]
    fn ticks_are_days_of_a_week_and_minutes_of_an_hour() {
        let texts = |start, end| {
            let ticks = Axis::new(start, end).ticks();
            ticks.into_iter().map(|t| t.text).collect::<Vec<_>>()
        };
        let week = texts("2019-02-27T08:00:00Z", "2019-03-03T18:00:00Z");
        assert_eq!(week, ["28 Feb", "1 Mar", "2 Mar", "3 Mar"]);
        let hour = texts("2020-02-29T23:40:00Z", "2020-03-01T00:40:00Z");
        assert_eq!(hour, ["23:50", "1 Mar", "00:10", "00:20", "00:30"]);
        let short = texts("2020-02-29T23:40:00Z", "2020-02-29T23:40:20Z");
        assert_eq!(short, ["23:40:05", "23:40:10", "23:40:15"]);
    }

    #[test]
    fn dates_go_there_and_back() {
        for (text, milli) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2019-01-16T08:00:06.5Z", 1_547_625_606_500),
            ("2000-02-29T00:00:00.001Z", 951_782_400_001),
        ] {
            assert_eq!(millis(text), Some(milli), "{text}");
        }
        for day in (-800_000..800_000).step_by(997) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month as i64, date), day);
        }
    }
}
