//! Figures in a person's words, and instants as RFC 3339. Decides nothing.

use super::exact::{ratio, share_ceil, share_floor};
use crate::finding::{Detail, Value};
use crate::journal::USER;
use assize_fault::{Nanos, Ppb};

/// An instant of the scenario in RFC 3339, in UTC, to the millisecond.
///
/// Instants beyond the calendar's range are given as its last one.
pub(super) fn instant(start: jiff::Timestamp, at: Nanos) -> String {
    const MS: i128 = 1_000_000;
    let ns = start.as_nanosecond() + i128::from(at.0);
    let rounded = (ns + MS / 2).div_euclid(MS) * MS;
    jiff::Timestamp::from_nanosecond(rounded)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

/// A share of which more is better: never rounded up.
pub(super) fn share_down(part: u128, whole: u128) -> String {
    share_floor(part, whole).map_or_else(none, |ppb| Ppb(ppb / 1_000 * 1_000).to_string())
}

/// A share of which less is better: never rounded down.
pub(super) fn share_up(part: u128, whole: u128) -> String {
    share_ceil(part, whole).map_or_else(none, |ppb| Ppb(ppb.div_ceil(1_000) * 1_000).to_string())
}

fn none() -> String {
    "no measurement".to_string()
}

/// Units of users times nanoseconds as user-hours, for display and JSON only.
pub(super) fn user_hours(lost: u128) -> f64 {
    ratio(lost / u128::from(USER), 3_600_000_000_000)
}

/// A whole number with its thousands apart: `16,496`.
pub(super) fn thousands(value: impl ToString) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// User-hours in words, never rounded down to none.
pub(super) fn user_hours_text(lost: u128) -> String {
    let hundredths = (lost / u128::from(USER)).div_ceil(36_000_000_000);
    let hundredths = if lost > 0 { hundredths.max(1) } else { 0 };
    let whole = hundredths / 100;
    match hundredths % 100 {
        0 => format!("{} user-hours", thousands(whole)),
        rest => format!("{}.{rest:02} user-hours", thousands(whole)),
    }
}

/// What a duration leaves of its target.
pub(super) fn time_margin(target: Nanos, measured: Nanos, at_least: bool) -> String {
    let margin = target - measured;
    match margin.0 {
        0 => "exactly on target".to_string(),
        1.. if at_least => "not known".to_string(),
        1.. => format!("+{margin} to spare"),
        _ if at_least => format!("over by at least {}", -margin),
        _ => format!("over by {}", -margin),
    }
}

/// What a share leaves of its target, in percentage points; `better` says whether it is on the
/// right side.
pub(super) fn share_margin(target: u64, measured: u64, better: bool) -> String {
    // As exact as shares are printed, and never in favour, unless nothing would be left.
    let exact = target.abs_diff(measured);
    let rounded = if better {
        exact / 1_000 * 1_000
    } else {
        exact.div_ceil(1_000) * 1_000
    };
    let points = Ppb(if rounded == 0 { exact } else { rounded }).to_string();
    let points = points.trim_end_matches('%');
    match (target == measured, better) {
        (true, _) => "exactly on target".to_string(),
        (false, true) => format!("+{points} points to spare"),
        (false, false) => format!("off by {points} points"),
    }
}

/// `1 outage`, `2 outages`.
pub(super) fn number(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{} {what}s", thousands(count))
    }
}

/// A detail that is a duration, with its own words.
pub(super) fn time_detail(name: &'static str, value: Nanos, text: String) -> Detail {
    Detail {
        name,
        value: Some(Value::Time(value)),
        text,
    }
}

/// A detail in words only.
pub(super) fn text_detail(name: &'static str, text: String) -> Detail {
    Detail {
        name,
        value: None,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc_to_the_millisecond() {
        let start = jiff::Timestamp::from_second(1_547_625_600).unwrap_or_default();
        assert_eq!(instant(start, Nanos::ZERO), "2019-01-16T08:00:00Z");
        assert_eq!(
            instant(start, Nanos(95_531_250_000)),
            "2019-01-16T08:01:35.531Z"
        );
        assert_eq!(
            instant(jiff::Timestamp::MAX, Nanos::NEVER),
            jiff::Timestamp::MAX.to_string()
        );
    }

    #[test]
    fn a_share_just_under_all_never_reads_as_all() {
        assert_eq!(share_down(999_999_999_999, 1_000_000_000_000), "99.9999%");
        assert_eq!(share_up(1, 1_000_000_000_000), "0.0001%");
        assert_eq!(share_down(3, 4), "75%");
        assert_eq!(share_down(0, 0), "no measurement");
    }

    #[test]
    fn user_hours_and_margins() {
        let hour = u128::from(USER) * 3_600_000_000_000;
        assert_eq!(user_hours_text(hour * 3 / 2), "1.50 user-hours");
        assert_eq!(user_hours_text(1), "0.01 user-hours");
        assert_eq!(user_hours_text(0), "0 user-hours");
        assert_eq!(user_hours_text(hour * 1_234_567), "1,234,567 user-hours");
        assert_eq!(thousands(100), "100");
    }

    #[test]
    fn a_margin_is_as_exact_as_what_it_compares() {
        assert_eq!(
            share_margin(995_000_000, 768_934_436, false),
            "off by 22.6066 points"
        );
        assert_eq!(
            share_margin(995_000_000, 995_000_001, true),
            "+0.0000001 points to spare"
        );
        assert_eq!(
            time_margin(Nanos::mins(15), Nanos::secs(630), false),
            "+4m 30s to spare"
        );
        assert_eq!(
            time_margin(Nanos::mins(15), Nanos::hours(2), false),
            "over by 1h 45m"
        );
        assert_eq!(
            share_margin(999_000_000, 987_500_000, false),
            "off by 1.15 points"
        );
    }
}
