//! A contract: what a supplier promises, how it is measured, and what follows when it is missed.
//!
//! Data only; `file::contract` reads it, [`reckon`] does its arithmetic. Shares are exact
//! integers in parts per billion, money is in the smallest unit of its currency, time is in
//! nanoseconds; what is divided is divided once, when it is printed.

mod clauses;
mod count;
mod credits;
mod critical;
mod level;
mod money;
mod month;
mod period;
mod reckon;
mod record;
mod sums;
#[cfg(test)]
mod tests;

pub use credits::{
    Credits, CriticalResult, LevelResult, MonthResult, OwnerPart, PeriodResult, Shares, Stated,
};
pub use money::Money;
pub use month::Month;
pub use period::Period;
pub use reckon::reckon;
pub use record::{Cause, Pair, Record};

use crate::calendar::{Calendar, Hours};
use assize_fault::{Nanos, Ppb};
use jiff::Timestamp;
use jiff::civil::Date;

/// A contract with one supplier.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// It is a template: nobody signed it.
    pub template: bool,
    /// What it is and where it comes from, in words.
    pub about: Option<String>,
    /// Who buys.
    pub customer: Option<String>,
    /// Owner domains that the supplier answers for: itself and its subcontractors.
    pub supplier: Vec<String>,
    /// Zone and bank holidays of its hours and months.
    pub calendar: Calendar,
    /// Its first day; contract years count from here.
    pub from: Option<Date>,
    /// Currency, as printed before an amount.
    pub currency: String,
    /// Months of a measurement period: 1, or 3 for quarters.
    pub period: u8,
    /// What is paid.
    pub charges: Charges,
    /// What one service point takes off a period's charges.
    pub point: Option<Ppb>,
    /// Service levels, in file order.
    pub levels: Vec<Level>,
    /// What may be left out.
    pub exclusions: Vec<Exclusion>,
    /// How long before maintenance its notice is due.
    pub maintenance_notice: Nanos,
    /// When each fault was reported, by name of the fault.
    pub reports: Vec<(String, Timestamp)>,
    /// Earlier months, as stated.
    pub earlier: Vec<Earlier>,
    /// The most that credits take off.
    pub cap: Cap,
    /// What is a critical failure.
    pub critical: Critical,
}

/// What is paid.
#[derive(Clone, Debug, Default)]
pub struct Charges {
    /// Each month, unless `months` says otherwise; `None`: not stated, so credits are shares.
    pub per_month: Option<Money>,
    /// Months with charges of their own.
    pub months: Vec<(Month, Money)>,
    /// Estimated for the first contract year.
    pub first_year: Option<Money>,
}

/// One service level.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name.
    pub id: String,
    /// In words.
    pub title: String,
    /// Where the contract says so.
    pub clause: Option<String>,
    /// Whose journeys count; empty: everybody's.
    pub populations: Vec<String>,
    /// Which journeys count; empty: all.
    pub journeys: Vec<String>,
    /// What must be reached.
    pub target: Ppb,
    /// When it is measured; `None`: always.
    pub hours: Option<Hours>,
    /// The hours as written.
    pub hours_text: String,
    /// What is weighed.
    pub weighting: Weighting,
    /// The share at which the service counts as up, for service minutes and critical hours.
    pub up_at: Ppb,
    /// When downtime begins to count.
    pub clock: Clock,
    /// How much of the time of users served by a contingency counts as lost.
    pub degraded_counts: Ppb,
    /// What is reached is rounded to a multiple of this, half up; `None`: not rounded.
    pub round: Option<Ppb>,
    /// What follows.
    pub remedy: Remedy,
    /// Points of a level that failed in the period before too are multiplied by this.
    pub repeat: u32,
}

/// What a level weighs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weighting {
    /// Users out times time.
    UserMinutes,
    /// Sites with somebody out times time.
    SiteMinutes,
    /// Time in which the served share is below `up_at`.
    ServiceMinutes,
}

/// When downtime begins to count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// With the first user out.
    Fault,
    /// When the control plane or people noticed the fault.
    Detected,
    /// When people reported it.
    Reported,
}

/// What follows when a level is missed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Service points by band, the highest band first.
    Points(Vec<Band>),
    /// A share of the period's charges by band, the highest band first.
    Credit(Vec<Band>),
    /// What is missing to the target is the share of the period's charges.
    Shortfall,
}

/// A band of what was reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// From here on, up to the band above.
    pub at_least: Ppb,
    /// Its name, such as `Severe`.
    pub name: String,
    /// Service points.
    pub points: u32,
    /// Of the period's charges.
    pub credit: Ppb,
    /// What else follows, in words.
    pub then: Option<String>,
}

/// What may be left out of a figure.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// Its name.
    pub id: String,
    /// Which kind.
    pub kind: ExclusionKind,
    /// The window; without one, relief from a fault holds as long as the fault.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Only downtime by these faults; empty: any.
    pub faults: Vec<String>,
    /// Only for these levels; empty: all.
    pub levels: Vec<String>,
    /// Who approved it; nobody: it is not applied.
    pub approved_by: Option<String>,
    /// When notice was given.
    pub notified: Option<Timestamp>,
}

/// Kinds of exclusion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExclusionKind {
    /// Leaves the month, and the downtime in it.
    Maintenance,
    /// Leaves the downtime alone.
    Relief,
}

/// What a period before the run came to, as stated.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// The period.
    pub period: Period,
    /// The level, as an index.
    pub level: usize,
    /// What was reached.
    pub achieved: Ppb,
}

/// The most that credits take off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cap {
    /// In the first twelve months: of the first year's estimated charges.
    pub first_year: Option<Ppb>,
    /// Later: of the charges of the twelve months before.
    pub rolling: Option<Ppb>,
}

/// What is a critical failure, and what follows.
#[derive(Clone, Debug, Default)]
pub struct Critical {
    /// So many points in so many months.
    pub points: Vec<(u64, u8)>,
    /// More than so long in any so many months.
    pub hours: Vec<CriticalHours>,
    /// Also when credits reach their cap.
    pub at_cap: bool,
    /// Credits that would have accrued do not.
    pub replaces_credits: bool,
    /// What follows, in words.
    pub effect: Option<String>,
}

/// More than so long lost in any window of months.
#[derive(Clone, Copy, Debug)]
pub struct CriticalHours {
    /// Of which level, as an index; `None`: of any.
    pub level: Option<usize>,
    /// More than this.
    pub more_than: Nanos,
    /// In so many months.
    pub months: u8,
}

impl Contract {
    /// The measurement period in which a month lies. Quarters count from the contract's first
    /// month, or with the year.
    #[must_use]
    pub fn period_of(&self, month: Month) -> Period {
        let january = Month {
            year: month.year,
            month: 1,
        };
        Period::of(self.from.map_or(january, Month::of), self.period, month)
    }
}

impl Charges {
    /// What is paid for a month; `None` if nothing is stated.
    #[must_use]
    pub fn of(&self, month: Month) -> Option<Money> {
        let own = self.months.iter().find(|(m, _)| *m == month);
        own.map(|(_, money)| *money).or(self.per_month)
    }

    /// What is paid for all months of a period; `None` if one of them is not stated.
    #[must_use]
    pub fn of_all(&self, period: Period) -> Option<Money> {
        let months: Option<Vec<Money>> = period.each().map(|month| self.of(month)).collect();
        Some(Money(months?.iter().map(|money| money.0).sum()))
    }
}
