//! How the sums of a contract are written.

use assize_fault::Ppb;

/// `98.5%`.
pub(super) fn percent(share: Ppb) -> String {
    share.to_string()
}

/// A fraction in percent with so many places, rounded once, half up, without trailing zeros.
pub(super) fn percent_of(part: u128, whole: u128, places: u32) -> String {
    if whole == 0 {
        return "nothing of nothing".into();
    }
    // Both halves keep 100 bits: far more than is printed.
    let bits = 128 - whole.leading_zeros();
    let shift = bits.saturating_sub(100);
    let (part, whole) = (part >> shift, (whole >> shift).max(1));
    let scale = 10u128.pow(places);
    let steps = (2 * part * 100 * scale + whole) / (2 * whole);
    let digits = format!("{:0width$}", steps % scale, width = places as usize);
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        format!("{}%", steps / scale)
    } else {
        format!("{}.{digits}%", steps / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_once_half_up() {
        assert_eq!(percent_of(180, 220, 2), "81.82%");
        assert_eq!(percent_of(1762, 2200, 2), "80.09%");
        assert_eq!(percent_of(1962, 2200, 2), "89.18%");
        assert_eq!(percent_of(1, 1, 2), "100%");
        assert_eq!(percent_of(995, 1000, 4), "99.5%");
        let wide = 1u128 << 112;
        assert_eq!(percent_of(wide / 4 * 3, wide, 2), "75%");
    }
}
