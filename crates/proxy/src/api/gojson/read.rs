//! From JSON values to fields, by Go's rules.
//!
//! Keys match in any case, the last one of a name wins, `null` leaves a field as it is, unknown
//! keys are ignored. The first value of the wrong type is an error, found after all others have
//! been looked at; its text names the Go type that a Toxiproxy client expects to read.

use super::Value;

/// Reads the fields of one Go structure and keeps the first type error.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The structure's Go name; empty for one without a name.
    structure: String,
    /// The path from the outermost structure to this one, each part with its dot.
    path: &'static str,
    error: Option<String>,
}

impl Fields {
    /// Fields of a Go structure of this name.
    pub(crate) fn of(structure: impl Into<String>, path: &'static str) -> Self {
        Self {
            structure: structure.into(),
            path,
            error: None,
        }
    }

    /// The members, if the value is an object; none for `null`; otherwise an error that names
    /// the Go type `wanted`.
    pub(crate) fn members<'a>(
        value: &'a Value,
        wanted: &str,
    ) -> Result<&'a [(String, Value)], String> {
        match value {
            Value::Object(members) => Ok(members),
            Value::Null => Ok(&[]),
            other => Err(mismatch(other.kind(), &format!("value of type {wanted}"))),
        }
    }

    /// The items, as [`Self::members`].
    pub(crate) fn items<'a>(value: &'a Value, wanted: &str) -> Result<&'a [Value], String> {
        match value {
            Value::Array(items) => Ok(items),
            Value::Null => Ok(&[]),
            other => Err(mismatch(other.kind(), &format!("value of type {wanted}"))),
        }
    }

    /// Puts a string into a field.
    pub(crate) fn string(&mut self, field: &str, value: &Value, into: &mut String) {
        match value {
            Value::String(text) => into.clone_from(text),
            other => self.wrong(field, other.kind(), "string", other),
        }
    }

    /// Puts a truth value into a field.
    pub(crate) fn boolean(&mut self, field: &str, value: &Value, into: &mut bool) {
        match value {
            Value::Bool(truth) => *into = *truth,
            other => self.wrong(field, other.kind(), "bool", other),
        }
    }

    /// Puts a number into a field of Go's `float32`; what does not fit is an error.
    pub(crate) fn float32(&mut self, field: &str, value: &Value, into: &mut f32) {
        match value {
            Value::Number(text) => match text.parse::<f32>() {
                Ok(number) if number.is_finite() => *into = number,
                _ => self.wrong(field, &format!("number {text}"), "float32", value),
            },
            other => self.wrong(field, other.kind(), "float32", other),
        }
    }

    /// A whole number of 64 bits, as which Go type `name` it is asked for; `None` for `null` and
    /// for what is an error.
    pub(crate) fn integer(&mut self, field: &str, value: &Value, name: &str) -> Option<i64> {
        self.number(field, value, name)
    }

    /// A number of Go's `float64`, as [`Self::integer`].
    pub(crate) fn float64(&mut self, field: &str, value: &Value) -> Option<f64> {
        let finite = |number: &f64| number.is_finite();
        let number = self.number(field, value, "float64");
        number.filter(finite)
    }

    fn number<T: std::str::FromStr>(
        &mut self,
        field: &str,
        value: &Value,
        name: &str,
    ) -> Option<T> {
        let Value::Number(text) = value else {
            self.wrong(field, value.kind(), name, value);
            return None;
        };
        let number = text.parse().ok();
        if number.is_none() {
            self.wrong(field, &format!("number {text}"), name, value);
        }
        number
    }

    /// Notes that a field has the wrong type; `null` never has.
    pub(crate) fn wrong(&mut self, field: &str, got: &str, wanted: &str, value: &Value) {
        if *value == Value::Null || self.error.is_some() {
            return;
        }
        let place = format!(
            "struct field {}.{}{field} of type {wanted}",
            self.structure, self.path
        );
        self.error = Some(mismatch(got, &place));
    }

    /// What was wrong first, if anything was.
    pub(crate) fn done(self) -> Result<(), String> {
        self.error.map_or(Ok(()), Err)
    }
}

/// Whether a key of the input names this field: exactly, or in any case.
pub(crate) fn names(key: &str, field: &str) -> bool {
    key == field || key.chars().map(fold).eq(field.chars())
}

/// Lower case, with the two characters outside ASCII that Go folds into it.
const fn fold(c: char) -> char {
    match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

fn mismatch(got: &str, place: &str) -> String {
    format!("json: cannot unmarshal {got} into Go {place}")
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    fn value(text: &str) -> Value {
        scan(text.as_bytes()).expect(text)
    }

    #[test]
    fn keys_match_in_any_case() {
        assert!(names("Average_Size", "average_size"));
        assert!(names("AVERAGE_SIZE", "average_size"));
        assert!(names("li\u{17f}ten", "listen"));
        assert!(!names("averagesize", "average_size"));
    }

    #[test]
    fn integers_are_64_bits_and_whole() {
        let integer = |text: &str| {
            let mut fields = Fields::of("LatencyToxic", "attributes.");
            let number = fields.integer("latency", &value(text), "int64");
            (number, fields.done())
        };
        assert_eq!(integer("-5"), (Some(-5), Ok(())));
        assert_eq!(integer("9223372036854775807"), (Some(i64::MAX), Ok(())));
        assert_eq!(integer("null"), (None, Ok(())));
        for text in ["100.5", "1e3", "9223372036854775808"] {
            let expected = format!(
                "json: cannot unmarshal number {text} into Go struct field \
                 LatencyToxic.attributes.latency of type int64"
            );
            assert_eq!(integer(text), (None, Err(expected)));
        }
        let (_, error) = integer("\"1\"");
        assert!(error.is_err_and(|e| e.contains("unmarshal string into")));
    }

    #[test]
    fn the_first_error_is_kept_and_null_leaves_the_field() {
        let mut fields = Fields::of("Proxy", "");
        let (mut name, mut enabled, mut share) = ("as it was".to_owned(), true, 0.5_f32);
        fields.string("name", &Value::Null, &mut name);
        fields.boolean("enabled", &value("\"yes\""), &mut enabled);
        fields.float32("toxicity", &value("1e39"), &mut share);
        assert_eq!((name.as_str(), enabled, share), ("as it was", true, 0.5));
        let error = fields.done().expect_err("two fields are wrong");
        assert_eq!(
            error,
            "json: cannot unmarshal string into Go struct field Proxy.enabled of type bool"
        );
    }

    #[test]
    fn the_outermost_value_names_its_go_type() {
        let array = value("[]");
        assert_eq!(
            Fields::members(&array, "toxiproxy.Proxy"),
            Err("json: cannot unmarshal array into Go value of type toxiproxy.Proxy".to_owned())
        );
        assert_eq!(
            Fields::members(&Value::Null, "toxiproxy.Proxy"),
            Ok(&[][..])
        );
    }
}
