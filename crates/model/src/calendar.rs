//! Service hours, demand windows, bank holidays, and instants of a daily schedule.

use assize_fault::Nanos;

/// Time zone and bank holidays of a topology.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The zone in which hours are read.
    pub zone: jiff::tz::TimeZone,
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
