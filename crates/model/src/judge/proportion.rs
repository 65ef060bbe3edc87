//! How large a share may be of which a sample is known: the Clopper–Pearson bound.
//!
//! The bound is searched among whole parts per billion; the functions of the search are from
//! `libm`, so that it is the same on every machine.

use assize_fault::Ppb;

/// Probability of a larger share than the bound.
const RISK: f64 = 0.01;

/// The upper 99 % bound of the share of failures, of which `failed` were seen in `tries`.
pub(super) fn upper(tries: u64, failed: u64) -> Ppb {
    if failed >= tries {
        return Ppb::ONE;
    }
    // The fewer failures are likely, the larger the share: the smallest at which so few are not.
    let (mut low, mut high) = (0, Ppb::ONE.0);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if at_most(tries, failed, middle as f64 / 1e9) <= RISK {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ppb(high)
}

/// The probability of at most `failed` failures in `tries`, each with probability `p`, which is
/// neither 0 nor 1.
fn at_most(tries: u64, failed: u64, p: f64) -> f64 {
    let odds = libm::log(p) - libm::log1p(-p);
    let mut term = tries as f64 * libm::log1p(-p);
    let mut sum = libm::exp(term);
    for k in 0..failed {
        term += libm::log((tries - k) as f64 / (k + 1) as f64) + odds;
        sum += libm::exp(term);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_bounds() {
        // Without a failure: 1 − 0.01^(1/n). Others from tables of the beta distribution:
        // the 99 % quantile of Beta(failed + 1, tries − failed).
        for (tries, failed, share) in [
            (1, 0, 0.99),
            (2, 0, 0.9),
            (100, 0, 0.045_007),
            (10, 1, 0.504_4),
            (1_000, 0, 0.004_594_6),
        ] {
            let got = upper(tries, failed).as_f64();
            assert!((got - share).abs() < 5e-5, "{failed} of {tries}: {got}");
        }
        assert_eq!(upper(0, 0), Ppb::ONE);
        assert_eq!(upper(5, 5), Ppb::ONE);
    }

    proptest! {
        #[test]
        fn more_failures_never_lower_the_bound(tries in 1u64..3_000, failed in 0u64..3_000) {
            let failed = failed.min(tries);
            let bound = upper(tries, failed);
            prop_assert!(bound <= upper(tries, failed + 1));
            prop_assert!(bound >= upper(tries + 1, failed));
            prop_assert!(bound.0 as u128 * u128::from(tries) >= u128::from(failed) * 1_000_000_000);
        }
    }
}
