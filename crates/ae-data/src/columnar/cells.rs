//! The cells of Arrow's columns as the text of a table.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use crate::table::date_text;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Boolean,
    Date,
    Text,
}

/// The kind of the cells of a type, if it is read.
pub(super) fn kind(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Kind::Number,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Kind::Number,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Number,
        DataType::Decimal128(..) => Kind::Number,
        DataType::Boolean => Kind::Boolean,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Kind::Date,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Date,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Kind::Text,
        DataType::Dictionary(_, values) => return kind(values),
        _ => return None,
    })
}

/// The text of a cell, empty if it is null. The type is one that has a [`kind`].
pub(super) fn write(array: &ArrayRef, row: usize, out: &mut String) {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return;
    }
    macro_rules! whole {
        ($kind:ty) => {{
            let _ = write!(out, "{}", array.as_primitive::<$kind>().value(row));
        }};
    }
    macro_rules! number {
        ($value:expr) => {{
            // Digits or an exponent, whichever is shorter, so that the number is read again exactly.
            let _ = write!(out, "{:?}", f64::from($value));
        }};
    }
    macro_rules! units {
        ($kind:ty) => {
            i128::from(array.as_primitive::<$kind>().value(row))
        };
    }
    match array.data_type() {
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Float16 => number!(array.as_primitive::<Float16Type>().value(row)),
        DataType::Float32 => number!(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => number!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            let _ = write!(out, "{value}e{}", -i32::from(*scale));
        }
        DataType::Boolean => {
            out.push_str(if array.as_boolean().value(row) { "true" } else { "false" })
        }
        DataType::Date32 => date(units!(Date32Type) * 86_400, 1, out),
        DataType::Date64 => date(units!(Date64Type), 1000, out),
        DataType::Timestamp(TimeUnit::Second, _) => date(units!(TimestampSecondType), 1, out),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            date(units!(TimestampMillisecondType), 1000, out);
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            date(units!(TimestampMicrosecondType), 1_000_000, out);
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            date(units!(TimestampNanosecondType), 1_000_000_000, out);
        }
        DataType::Time32(TimeUnit::Second) => date(units!(Time32SecondType), 1, out),
        DataType::Time32(_) => date(units!(Time32MillisecondType), 1000, out),
        DataType::Time64(TimeUnit::Microsecond) => {
            date(units!(Time64MicrosecondType), 1_000_000, out);
        }
        DataType::Time64(_) => date(units!(Time64NanosecondType), 1_000_000_000, out),
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row).trim()),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row).trim()),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row).trim()),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            if let Some(key) = keys.get(row).filter(|key| **key < dictionary.values().len()) {
                write(dictionary.values(), *key, out);
            }
        }
        _ => {}
    }
}

/// A date of `units`, of which a second has `of_second`, since the start of 1970.
fn date(units: i128, of_second: i128, out: &mut String) {
    let (seconds, rest) = (units.div_euclid(of_second), units.rem_euclid(of_second));
    let text = date_text(seconds as f64);
    out.push_str(&text);
    if rest > 0 {
        if !text.contains(':') {
            out.push_str(" 00:00:00");
        }
        let digits = of_second.ilog10() as usize;
        let _ = write!(out, ".{rest:0digits$}");
    }
}
