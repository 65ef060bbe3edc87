//! Exact comparison and division of large integers, so that no verdict rests on rounding.
//!
//! User-time is kept in units of a user's 64·10⁹th part times nanoseconds; such a figure times
//! a share in parts per billion does not fit in 128 bits. It decides nothing else and knows
//! nothing of users or time.

use core::cmp::Ordering;

/// Parts per billion in one.
pub(crate) const BILLION: u64 = 1_000_000_000;

/// `a × b` as a high and a low half.
fn wide(a: u128, b: u64) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let low = (a & LOW) * u128::from(b);
    let high = (a >> 64) * u128::from(b) + (low >> 64);
    (high >> 64, (high << 64) | (low & LOW))
}

/// How `part / whole` stands to `ppb` parts per billion, without division.
pub(crate) fn compare_share(part: u128, whole: u128, ppb: u64) -> Ordering {
    wide(part, BILLION).cmp(&wide(whole, ppb))
}

/// `part / whole` in parts per billion, rounded down; `None` if there is no whole.
pub(crate) fn share_floor(part: u128, whole: u128) -> Option<u64> {
    if whole == 0 {
        return None;
    }
    // Long division, digit by digit: a remainder times ten fits once the operands do.
    let shift = if whole > u128::MAX / 16 { 8 } else { 0 };
    let (part, whole) = (part >> shift, whole >> shift);
    let mut quotient = u64::try_from(part / whole).unwrap_or(u64::MAX / BILLION);
    let mut rest = part % whole;
    for _ in 0..9 {
        rest *= 10;
        quotient = quotient
            .saturating_mul(10)
            .saturating_add((rest / whole) as u64);
        rest %= whole;
    }
    Some(quotient)
}

/// `part / whole` in parts per billion, rounded up; `None` if there is no whole.
pub(crate) fn share_ceil(part: u128, whole: u128) -> Option<u64> {
    let floor = share_floor(part, whole)?;
    let exact = compare_share(part, whole, floor) == Ordering::Equal;
    Some(if exact {
        floor
    } else {
        floor.saturating_add(1)
    })
}

/// `part / whole` for display and JSON only; not a number if there is no whole.
pub(crate) fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 {
        f64::NAN
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_that_128_bits_cannot_hold_is_compared_exactly() {
        let whole = u128::MAX / 3;
        assert_eq!(compare_share(whole, whole, BILLION), Ordering::Equal);
        assert_eq!(compare_share(whole - 1, whole, BILLION), Ordering::Less);
        assert_eq!(compare_share(1, whole, 0), Ordering::Greater);
    }

    #[test]
    fn shares_are_rounded_to_the_side_that_is_asked_for() {
        assert_eq!(share_floor(2, 3), Some(666_666_666));
        assert_eq!(share_ceil(2, 3), Some(666_666_667));
        assert_eq!(share_ceil(1, 2), Some(500_000_000));
        assert_eq!(share_floor(1, 0), None);
        assert_eq!(share_floor(u128::MAX / 2, u128::MAX / 2), Some(BILLION));
    }

    proptest! {
        #[test]
        fn small_operands_agree_with_plain_arithmetic(
            part in 0u128..1 << 80,
            whole in 1u128..1 << 80,
            ppb in 0u64..=BILLION,
        ) {
            let plain = (part * u128::from(BILLION)).cmp(&(whole * u128::from(ppb)));
            prop_assert_eq!(compare_share(part, whole, ppb), plain);
            if part <= whole {
                let floor = part * u128::from(BILLION) / whole;
                prop_assert_eq!(share_floor(part, whole).map(u128::from), Some(floor));
            }
        }
    }
}
