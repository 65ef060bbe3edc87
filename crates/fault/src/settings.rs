//! Settings of a wire fault as a table: one list of fields gives the struct, its defaults, its
//! attribute names for the HTTP API, and checked access by name.
//!
//! JSON is not read here: an API decodes a number or a word and hands it over as a [`Value`].

use core::fmt;

/// The value of one attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number, in the attribute's unit.
    Int(i64),
    /// A number.
    Float(f64),
    /// One of a few words.
    Word(String),
}

/// What an attribute takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number, not negative.
    Int,
    /// A share from 0 to 1.
    Share,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One attribute of a wire fault.
#[derive(Debug)]
pub struct Attribute {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its unit; empty if it has none.
    pub unit: &'static str,
    /// Whether the original has no such attribute; printed only when it is not the default.
    pub beyond: bool,
}

/// Why a value was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The fault has no attribute of this name.
    Unknown {
        /// The name.
        name: String,
    },
    /// The attribute does not take this value.
    Wrong {
        /// The attribute.
        name: &'static str,
        /// What it takes instead.
        takes: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no attribute `{name}`"),
            Self::Wrong { name, takes } => write!(f, "`{name}` must be {takes}"),
        }
    }
}

impl core::error::Error for Refused {}

/// The settings of one kind of fault, by the place of each in its list.
pub(crate) trait Settings: Default {
    const ATTRIBUTES: &'static [Attribute];
    fn get(&self, index: usize) -> Value;
    fn put(&mut self, index: usize, value: Value) -> Result<(), String>;
}

/// What can be a setting.
pub(crate) trait Scalar: Sized {
    const KIND: Kind;
    fn value(&self) -> Value;
    fn read(value: Value) -> Result<Self, String>;
}

impl Scalar for i64 {
    const KIND: Kind = Kind::Int;
    fn value(&self) -> Value {
        Value::Int(*self)
    }
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Int(n) if n >= 0 => Ok(n),
            _ => Err("a whole number, 0 or more".into()),
        }
    }
}

impl Scalar for f64 {
    const KIND: Kind = Kind::Share;
    fn value(&self) -> Value {
        Value::Float(*self)
    }
    fn read(value: Value) -> Result<Self, String> {
        let number = match value {
            Value::Int(n) => n as Self,
            Value::Float(x) => x,
            Value::Word(_) => Self::NAN,
        };
        // Not a number is in no range.
        if (0.0..=1.0).contains(&number) {
            Ok(number)
        } else {
            Err("a number from 0 to 1".into())
        }
    }
}

/// Makes the settings of a fault from one list.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$says:meta])+ $field:ident: $ty:ty = $default:expr, $unit:literal; )*
        }
        $( beyond {
            $( $(#[$more_says:meta])+ $more:ident: $more_ty:ty = $more_default:expr, $more_unit:literal; )*
        } )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            $( $(#[$says])+ pub $field: $ty, )*
            $($( $(#[$more_says])+ pub $more: $more_ty, )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* $($( $more: $more_default, )*)? }
            }
        }

        impl $crate::settings::Settings for $name {
            const ATTRIBUTES: &'static [$crate::Attribute] = &[
                $( $crate::Attribute {
                    name: stringify!($field),
                    kind: <$ty as $crate::settings::Scalar>::KIND,
                    unit: $unit,
                    beyond: false,
                }, )*
                $($( $crate::Attribute {
                    name: stringify!($more),
                    kind: <$more_ty as $crate::settings::Scalar>::KIND,
                    unit: $more_unit,
                    beyond: true,
                }, )*)?
            ];

            fn get(&self, index: usize) -> $crate::Value {
                use $crate::settings::Scalar;
                [ $( self.$field.value(), )* $($( self.$more.value(), )*)? ]
                    .into_iter()
                    .nth(index)
                    .unwrap_or($crate::Value::Int(0))
            }

            fn put(&mut self, index: usize, value: $crate::Value) -> Result<(), String> {
                use $crate::settings::Scalar;
                let mut place = 0..;
                $( if place.next() == Some(index) {
                    self.$field = Scalar::read(value)?;
                    return Ok(());
                } )*
                $($( if place.next() == Some(index) {
                    self.$more = Scalar::read(value)?;
                    return Ok(());
                } )*)?
                let _ = (place, value);
                Ok(())
            }
        }
    };
}

/// Makes a setting that is one of a few words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[$says:meta])+ $variant:ident = $word:literal, )+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $( $(#[$says])+ $variant, )+ }

        impl $crate::settings::Scalar for $name {
            const KIND: $crate::Kind = $crate::Kind::Word(&[$($word),+]);
            fn value(&self) -> $crate::Value {
                $crate::Value::Word(match self { $( Self::$variant => $word, )+ }.to_owned())
            }
            fn read(value: $crate::Value) -> Result<Self, String> {
                match value {
                    $( $crate::Value::Word(word) if word == $word => Ok(Self::$variant), )+
                    _ => Err(["one of", $(concat!("`", $word, "`")),+].join(" ")),
                }
            }
        }
    };
}

pub(crate) use {settings, words};
