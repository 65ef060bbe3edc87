//! The result: each level in each month, each month's credits, critical failures; what
//! `assize/credits/v1` holds, field for field.

use super::money::Money;
use super::period::Period;
use assize_fault::Nanos;
use serde::Serialize;

/// What a contract makes of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Credits {
    /// `assize/credits/v1`.
    pub schema: &'static str,
    /// The contract's name.
    pub contract: String,
    /// It is a template: nobody signed it.
    pub template: bool,
    /// Owner domains that the supplier answers for.
    pub supplier: Vec<String>,
    /// Name of the topology.
    pub topology: String,
    /// Name of the scenario.
    pub scenario: String,
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// The weakest thing that any level was tested on.
    pub tested_on: &'static str,
    /// Currency of all amounts.
    pub currency: String,
    /// Each level, in the contract's order.
    pub levels: Vec<LevelResult>,
    /// Each period, in order.
    pub months: Vec<MonthResult>,
    /// Each critical failure that the contract describes, happened or not.
    pub critical: Vec<CriticalResult>,
    /// What follows from one that happened, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical_effect: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One level.
#[derive(Clone, Debug, Serialize)]
pub struct LevelResult {
    /// Its name.
    pub id: String,
    /// In words.
    pub title: String,
    /// Where the contract says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Target, from 0 to 1.
    pub target: f64,
    /// `user-minutes`, `site-minutes` or `service-minutes`.
    pub weighting: &'static str,
    /// `fault`, `detected` or `reported`.
    pub clock: &'static str,
    /// Its hours, as written.
    pub hours: String,
    /// On what it was tested.
    pub tested_on: &'static str,
    /// Each period.
    pub months: Vec<PeriodResult>,
}

/// How a level stands in a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stated {
    /// The target was reached.
    Met,
    /// It was not.
    Missed,
    /// Too close to call, not measured, or measured on stand-ins.
    Inconclusive,
}

/// One level in one period.
#[derive(Clone, Debug, Serialize)]
pub struct PeriodResult {
    /// The period: a month, or from the first to the last of a quarter.
    pub month: Period,
    /// The figure is stated by the contract's `earlier`, not measured.
    pub stated: bool,
    /// How it stands.
    pub status: Stated,
    /// What was reached, as the contract counts, from 0 to 1; `null` if it was not measured.
    pub achieved: Option<f64>,
    /// In words, as rounded: `80.1%`.
    pub achieved_text: String,
    /// Error bound of `achieved`.
    pub error: f64,
    /// What counts and what does not; absent if the figure is stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<Shares>,
    /// Name of the band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
    /// Service points, repeats included.
    pub points: u64,
    /// It failed in the period before too.
    pub repeat: bool,
    /// Of the period's charges, without points; from 0 to 1.
    pub credit: f64,
    /// What else follows, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// The sums, in words and order: what, and how.
    pub arithmetic: Vec<(&'static str, String)>,
    /// The same as `credit`, exactly.
    #[serde(skip)]
    pub(super) credit_ppb: u64,
}

/// Lost time of one level in one period. A time is that of all users (or sites, or the service)
/// together over all of them: `43h 48m` of `220h`.
#[derive(Clone, Debug, Serialize)]
pub struct Shares {
    /// Hours of the level in the period.
    pub hours: Nanos,
    /// Of which in the run or observation; the rest counts as available.
    pub observed: Nanos,
    /// Permitted maintenance in those hours.
    pub maintenance_hours: Nanos,
    /// Lost, as users had it: every cause, nothing left out.
    pub lost: Nanos,
    /// Reached, as users had it, from 0 to 1.
    pub as_users_had_it: f64,
    /// `lost` by owner of the faulted elements. These sum to it.
    pub owners: Vec<OwnerPart>,
    /// Of `lost`: counts against the supplier.
    pub counted: Nanos,
    /// Of `lost`: in permitted maintenance.
    pub maintenance: Nanos,
    /// Of `lost`: relief.
    pub relief: Nanos,
    /// Of `lost`: before the clock started.
    pub before_clock: Nanos,
    /// Of `lost`: for others to answer.
    pub others: Nanos,
}

/// What one owner answers for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OwnerPart {
    /// The owner domain; `nobody` if the faulted element has none.
    pub owner: String,
    /// Its part.
    pub lost: Nanos,
    /// It answers under this contract.
    pub supplier: bool,
}

/// Points and credits of one period.
#[derive(Clone, Debug, Serialize)]
pub struct MonthResult {
    /// The period: a month, or from the first to the last of a quarter.
    pub month: Period,
    /// Service points of all levels.
    pub points: u64,
    /// Credits of all levels before the cap, of the period's charges; from 0 to 1.
    pub credit: f64,
    /// The period's charges, if stated.
    pub charges: Option<Money>,
    /// Credits before the cap.
    pub accrued: Option<Money>,
    /// What the cap leaves for this period; `None`: no cap that applies.
    pub cap_left: Option<Money>,
    /// Credits due.
    pub due: Option<Money>,
    /// Some figure of the period could not be decided.
    pub undecided: bool,
    /// The sums, in words and order.
    pub arithmetic: Vec<(&'static str, String)>,
}

/// One kind of critical failure.
#[derive(Clone, Debug, Serialize)]
pub struct CriticalResult {
    /// What would be one, in words.
    pub clause: String,
    /// Whether it happened.
    pub happened: bool,
    /// The sum, in words.
    pub arithmetic: String,
}

impl Credits {
    /// Whether any level is missed, or a critical failure happened.
    #[must_use]
    pub fn missed(&self) -> bool {
        let mut months = self.levels.iter().flat_map(|level| &level.months);
        months.any(|month| !month.stated && month.status == Stated::Missed)
            || (self.tested_on != "stand-in" && self.critical.iter().any(|c| c.happened))
    }

    /// Whether anything could not be decided.
    #[must_use]
    pub fn undecided(&self) -> bool {
        let mut months = self.levels.iter().flat_map(|level| &level.months);
        months.any(|month| month.status == Stated::Inconclusive)
    }
}
