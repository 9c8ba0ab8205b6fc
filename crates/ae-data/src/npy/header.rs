//! The header of a `.npy` file, and its elements.

use std::path::Path;

use crate::disk::{DiskFile, Element};
use crate::{Error, Result, error::quote, file_reader::FileReader};

/// The longest header, which is NumPy's own limit.
const MAX_HEADER: u64 = 10_000;

/// The most letters of a text.
const MAX_TEXT: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    Float,
    /// The upper half of a float of 32 bits, in files of safetensors alone.
    Brain,
    Signed,
    Unsigned,
    Bool,
    /// Texts of one byte per letter, and of four.
    Bytes,
    Letters,
}

/// An array: its header and its elements.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub dtype: Dtype,
    /// The bytes of an element: 1, 2, 4 or 8, except for texts.
    pub size: usize,
    pub shape: Vec<usize>,
    big_endian: bool,
    fortran: bool,
    /// The bytes of the header.
    start: u64,
    bytes: Vec<u8>,
}

impl Array {
    /// The header of an array in C order, of a file of another format.
    pub(super) fn little_endian(dtype: Dtype, size: usize, shape: Vec<usize>) -> Self {
        Self { dtype, size, shape, big_endian: false, fortran: false, start: 0, bytes: vec![] }
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::from(FileReader::open(path)?, path)
    }

    pub(super) fn from(mut input: FileReader<'_>, path: &Path) -> Result<Self> {
        let header = Self::header(&mut input, path)?;
        Self::filled(header, input, path)
    }

    /// An array from its header and the rest of its file.
    pub(super) fn filled(mut header: Self, input: FileReader<'_>, path: &Path) -> Result<Self> {
        header.fill(input, path)?;
        Ok(header)
    }

    /// Reads the header alone.
    pub(super) fn header(input: &mut FileReader<'_>, path: &Path) -> Result<Self> {
        let start = input.up_to(8)?;
        if !start.starts_with(b"\x93NUMPY") {
            let got = "a file that does not start with \\x93NUMPY";
            return Err(Error::malformed(path, "a NumPy array (.npy)", got));
        }
        let width = match start.get(6) {
            Some(1) => 2,
            Some(2 | 3) => 4,
            other => {
                let got = other.map_or("none".to_owned(), u8::to_string);
                return Err(Error::malformed(path, "version 1, 2 or 3 of the format", got));
            }
        };
        let length = input.up_to(width)?;
        let short = (length.len() as u64) < width;
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
        if length > MAX_HEADER {
            let expected = format!("a header of at most {MAX_HEADER} bytes");
            return Err(Error::malformed(path, expected, length.to_string()));
        }
        let text = input.up_to(length)?;
        if short || (text.len() as u64) < length {
            return Err(Error::malformed(path, "a whole header", "a file that is cut short"));
        }
        let start = 8 + width + length;
        Ok(Self { start, ..Self::parse_header(&String::from_utf8_lossy(&text), path)? })
    }

    /// Parses the header, a Python dictionary.
    fn parse_header(text: &str, path: &Path) -> Result<Self> {
        let field = |name: &str| {
            let (_, rest) = text.split_once(&format!("'{name}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let missing = |what: &str| {
            Error::malformed(path, format!("a header with {what}"), quote(text.trim()))
        };

        let descr = field("descr").ok_or_else(|| missing("a 'descr'"))?;
        let name = descr.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
        let (order, number) = name.and_then(|name| name.split_at_checked(1)).unwrap_or_default();
        let length = |of: &str| of.get(1..).and_then(|size| size.parse::<usize>().ok());
        let (dtype, size) = match (number, length(number)) {
            ("f2" | "f4" | "f8", Some(size)) => (Dtype::Float, size),
            ("i1" | "i2" | "i4" | "i8", Some(size)) => (Dtype::Signed, size),
            ("u1" | "u2" | "u4" | "u8", Some(size)) => (Dtype::Unsigned, size),
            ("b1", Some(size)) => (Dtype::Bool, size),
            (text, Some(size @ 1..=MAX_TEXT)) if text.starts_with('S') => (Dtype::Bytes, size),
            (text, Some(letters @ 1..=MAX_TEXT)) if text.starts_with('U') => {
                (Dtype::Letters, 4 * letters)
            }
            _ => {
                let got = match (name, number) {
                    (None, _) => "a record of several fields".to_owned(),
                    (Some(_), "O") => {
                        "Python objects; save `array.astype('float32')` instead".to_owned()
                    }
                    (Some(name), _) => quote(name),
                };
                let expected = "elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool";
                return Err(Error::malformed(path, expected, got));
            }
        };
        let big_endian = match order {
            // `=` is the order of the machine that wrote the file, nearly always little endian.
            "<" | "|" | "=" => false,
            ">" => true,
            _ => return Err(Error::malformed(path, "byte order <, >, = or |", quote(order))),
        };

        let order = field("fortran_order").ok_or_else(|| missing("a 'fortran_order'"))?;
        let fortran = match (order.starts_with("True"), order.starts_with("False")) {
            (false, false) => return Err(missing("'fortran_order' True or False")),
            (fortran, _) => fortran,
        };

        let shape = field("shape").and_then(|rest| rest.strip_prefix('(')?.split(')').next());
        let sizes = shape.ok_or_else(|| missing("a 'shape'"))?.split(',').map(str::trim);
        // Python 2 wrote an L after long numbers.
        let sizes =
            sizes.filter(|size| !size.is_empty()).map(|size| size.trim_end_matches('L').parse());
        let shape = sizes.collect::<Result<_, _>>().map_err(|_| missing("sizes in 'shape'"))?;
        Ok(Self { dtype, size, shape, big_endian, fortran, start: 0, bytes: vec![] })
    }

    /// Reads the elements. Their number must be that of the shape.
    fn fill(&mut self, mut input: FileReader<'_>, path: &Path) -> Result<()> {
        let length = self.length(path)?;
        self.bytes = input.up_to(length)?;
        let read = self.bytes.len() as u64;
        if read < length {
            return Err(self.other_length(path, length, Some(read)));
        }
        if !input.is_at_end()? {
            return Err(self.other_length(path, length, None));
        }
        Ok(())
    }

    /// The elements as a file that is read at any place, and where they begin. Only the header was read.
    pub(super) fn on_disk(&self, input: FileReader<'_>, path: &Path) -> Result<(DiskFile, u64)> {
        let length = self.length(path)?;
        input.into_disk(self.start, length)?.map_err(|got| self.other_length(path, length, got))
    }

    /// The bytes of all elements.
    pub(super) fn length(&self, path: &Path) -> Result<u64> {
        let sizes = [self.size].into_iter().chain(self.shape.iter().copied());
        let length = sizes.map(|size| size as u64).try_fold(1u64, u64::checked_mul);
        let got = || format!("shape {:?}", self.shape);
        match length {
            None => Err(Error::malformed(path, "less than 2^64 bytes in all", got())),
            Some(0) => Err(Error::malformed(path, "at least one element", got())),
            Some(length) => Ok(length),
        }
    }

    /// The error of a file with fewer bytes (their number) or more.
    fn other_length(&self, path: &Path, length: u64, got: Option<u64>) -> Error {
        let expected = format!("shape {:?}, so {length} bytes after the header", self.shape);
        let got = got.map_or("more".to_owned(), |got| format!("{got}: the file is cut short"));
        Error::malformed(path, expected, got)
    }

    /// Whether the elements of a row are next to each other.
    pub(super) fn is_by_rows(&self) -> bool {
        !self.fortran
    }

    /// The elements in a file, not as pixels.
    pub(super) fn element(&self) -> Element {
        macro_rules! of {
            ($kind:ty, $size:literal, $convert:expr) => {
                Element::Other {
                    size: $size,
                    decode: match self.big_endian {
                        true => |bytes| $convert(<$kind>::from_be_bytes(first(bytes))),
                        false => |bytes| $convert(<$kind>::from_le_bytes(first(bytes))),
                    },
                }
            };
        }
        match (self.dtype, self.size, self.big_endian) {
            (Dtype::Float, 4, false) => Element::F32,
            (Dtype::Float, 8, false) => Element::F64,
            (Dtype::Float, 2, _) => of!(u16, 2, half),
            (Dtype::Brain, ..) => of!(u16, 2, brain),
            (Dtype::Float, 4, _) => of!(f32, 4, f64::from),
            (Dtype::Float, ..) => of!(f64, 8, f64::from),
            (Dtype::Signed, 1, _) => of!(i8, 1, f64::from),
            (Dtype::Signed, 2, _) => of!(i16, 2, f64::from),
            (Dtype::Signed, 4, _) => of!(i32, 4, f64::from),
            (Dtype::Signed, ..) => of!(i64, 8, |value: i64| value as f64),
            (Dtype::Bool, ..) => of!(u8, 1, |value: u8| f64::from(u8::from(value != 0))),
            (_, 2, _) => of!(u16, 2, f64::from),
            (_, 4, _) => of!(u32, 4, f64::from),
            (_, 8, _) => of!(u64, 8, |value: u64| value as f64),
            _ => of!(u8, 1, f64::from),
        }
    }

    /// Whether the elements are texts.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.dtype, Dtype::Bytes | Dtype::Letters)
    }

    /// Adds the rows of another array, if both are stored alike: row by row, in one type and shape.
    pub(super) fn append(&mut self, rows: &Self) -> bool {
        let kind = |array: &Self| (array.dtype, array.size, array.big_endian, array.fortran);
        let same_kind = kind(self) == kind(rows) && !self.fortran;
        match (&mut *self.shape, &*rows.shape) {
            ([count, row @ ..], [more, other @ ..]) if same_kind && row == other => {
                *count += more;
                self.bytes.extend_from_slice(&rows.bytes);
                true
            }
            _ => false,
        }
    }

    /// Type, shape and order, as NumPy names them: `<f4 [2, 3] in Fortran order`.
    pub(super) fn described(&self) -> String {
        let order = match (self.size, self.dtype, self.big_endian) {
            (1, ..) | (_, Dtype::Bytes, _) => "|",
            (.., true) => ">",
            _ => "<",
        };
        let (letter, size) = match self.dtype {
            Dtype::Float => ('f', self.size),
            Dtype::Brain => return format!("bf16 {:?}", self.shape),
            Dtype::Signed => ('i', self.size),
            Dtype::Unsigned => ('u', self.size),
            Dtype::Bool => ('b', self.size),
            Dtype::Bytes => ('S', self.size),
            Dtype::Letters => ('U', self.size / 4),
        };
        let fortran = if self.fortran { " in Fortran order" } else { "" };
        format!("{order}{letter}{size} {:?}{fortran}", self.shape)
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().fold(1, |all, size| size.saturating_mul(all))
    }

    /// The storage index of the element at index `at` in C order (the last index runs fastest).
    fn place(&self, at: usize) -> usize {
        let mut place = at;
        if self.fortran {
            let (mut rest, mut stride) = (at, self.len());
            place = 0;
            for size in self.shape.iter().rev() {
                stride /= size;
                place += rest % size * stride;
                rest /= size;
            }
        }
        place
    }

    /// The bits of the element at index `at` in C order.
    fn bits(&self, at: usize) -> u64 {
        let bytes = self.bytes[self.place(at) * self.size..].iter().take(self.size);
        let join = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        if self.big_endian { bytes.fold(0, join) } else { bytes.rev().fold(0, join) }
    }

    /// An element as an integer; for a float, its bits.
    pub(super) fn integer(&self, at: usize) -> i128 {
        let bits = self.bits(at);
        let unused = 64 - 8 * self.size as u32;
        match self.dtype {
            Dtype::Signed => (((bits << unused) as i64) >> unused).into(),
            Dtype::Bool => (bits != 0).into(),
            Dtype::Float | Dtype::Brain | Dtype::Unsigned | Dtype::Bytes | Dtype::Letters => {
                bits.into()
            }
        }
    }

    /// An element as a number.
    pub(super) fn number(&self, at: usize) -> f64 {
        match (self.dtype, self.size) {
            (Dtype::Float, 2) => half(self.bits(at) as u16),
            (Dtype::Brain, _) => brain(self.bits(at) as u16),
            (Dtype::Float, 4) => f32::from_bits(self.bits(at) as u32).into(),
            (Dtype::Float, _) => f64::from_bits(self.bits(at)),
            _ => self.integer(at) as f64,
        }
    }

    /// An element as text, without the zeros after the last letter.
    pub(super) fn text(&self, at: usize) -> String {
        let bytes = &self.bytes[self.place(at) * self.size..][..self.size];
        let text: String = match self.dtype {
            Dtype::Letters => bytes
                .chunks_exact(4)
                .map(|letter| {
                    let letter = [letter[0], letter[1], letter[2], letter[3]];
                    let code = if self.big_endian {
                        u32::from_be_bytes(letter)
                    } else {
                        u32::from_le_bytes(letter)
                    };
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                })
                .collect(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        };
        text.trim_end_matches('\0').to_owned()
    }

    /// The indices of the element at index `at` in C order.
    pub(super) fn indices(&self, at: usize) -> Vec<usize> {
        let mut rest = at;
        let mut indices: Vec<_> = self
            .shape
            .iter()
            .rev()
            .map(|size| {
                let index = rest % size;
                rest /= size;
                index
            })
            .collect();
        indices.reverse();
        indices
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut number = [0; N];
    number.copy_from_slice(&bytes[..N]);
    number
}

/// A float of 16 bits with the exponent of one of 32.
fn brain(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// A float of 16 bits (IEEE 754), with 5 bits of exponent and 10 of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}
