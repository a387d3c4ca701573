//! A catalogue as decoding needs it, and the pieces of one that is on its way.

use sensock::CatalogView;
use sensock::catalog::{Fault, fnv1a};
use sensock::error::Peer;
use sensock::limits::CATALOG_MAX;
use sensock::wire::flow::CatalogPart;

/// What decoding needs of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) id: u16,
    scale: i8,
    low: i32,
    high: i32,
}

impl Column {
    /// A value in the quantity's unit, or why it cannot be one.
    pub(crate) fn value(&self, raw: i32) -> Result<f64, Fault> {
        const TEN: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
        if raw < self.low {
            return Err(Fault::TOO_LOW);
        }
        if raw > self.high {
            return Err(Fault::TOO_HIGH);
        }
        // Dividing by a power of ten rounds once: 2345 at -2 is the double nearest to 23.45.
        let ten = TEN.get(usize::from(self.scale.unsigned_abs())).copied().unwrap_or(f64::NAN);
        Ok(if self.scale < 0 { f64::from(raw) / ten } else { f64::from(raw) * ten })
    }
}

/// A catalogue's quantities.
#[derive(Debug, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) hash: u64,
    pub(crate) firmware: Box<str>,
    columns: Box<[Column]>,
}

impl Sheet {
    /// Reads canonical bytes; `None` if they are no catalogue.
    pub(crate) fn read(hash: u64, bytes: &[u8]) -> Option<Sheet> {
        let view = CatalogView::new(bytes).ok()?;
        let mut columns: Vec<Column> = view
            .quantities()
            .map(|q| Column { id: q.id, scale: q.scale, low: q.low, high: q.high })
            .collect();
        columns.sort_by_key(|c| c.id);
        Some(Sheet { hash, firmware: view.firmware().into(), columns: columns.into() })
    }

    pub(crate) fn column(&self, id: u16) -> Option<&Column> {
        self.columns.binary_search_by_key(&id, |c| c.id).ok().map(|i| &self.columns[i])
    }
}

/// A catalogue that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
}

impl Pieces {
    /// Adds the next piece; the whole once it is complete and has the announced hash.
    ///
    /// # Errors
    /// Pieces of something else, out of order, or that do not add up.
    pub(crate) fn add(&mut self, announced: u64, part: &CatalogPart<'_>) -> Result<Option<Vec<u8>>, Peer> {
        let total = usize::from(part.total);
        if part.hash != announced || usize::from(part.offset) != self.bytes.len() || total > CATALOG_MAX {
            return Err(Peer::Unexpected);
        }
        self.bytes.extend_from_slice(part.bytes);
        if self.bytes.len() < total {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.bytes);
        if fnv1a(&whole) != announced || CatalogView::new(&whole).is_err() {
            return Err(Peer::Malformed);
        }
        Ok(Some(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{Catalog, Quantity};

    const T: Quantity<f32> = Quantity::new(3, "t", "Cel").scale(-2).range(-4_000, 8_500);
    const C: Quantity<u32> = Quantity::new(1, "c", "").scale(2);
    const LIST: Catalog<'_> = Catalog::new("x 1", &[T.entry(), C.entry()], &[], &[]);

    fn bytes() -> Vec<u8> {
        let mut bytes = vec![0; LIST.len()];
        LIST.copy_at(0, &mut bytes);
        bytes
    }

    #[test]
    fn values_are_the_nearest_double_and_what_is_out_of_range_is_a_fault() {
        let sheet = Sheet::read(LIST.hash(), &bytes()).unwrap();
        let t = sheet.column(3).unwrap();
        assert_eq!(t.value(2_345), Ok(23.45));
        assert_eq!(t.value(8_501), Err(Fault::TOO_HIGH));
        assert_eq!(t.value(-4_001), Err(Fault::TOO_LOW));
        assert_eq!(sheet.column(1).unwrap().value(7), Ok(700.0));
        assert!(sheet.column(2).is_none());
    }

    #[test]
    fn pieces_add_up_or_are_refused() {
        let (bytes, hash) = (bytes(), LIST.hash());
        let part = |offset: usize, end: usize| CatalogPart {
            hash,
            total: bytes.len() as u16,
            offset: offset as u16,
            bytes: &bytes[offset..end],
        };
        let mut pieces = Pieces::default();
        assert_eq!(pieces.add(hash, &part(0, 5)), Ok(None));
        assert_eq!(pieces.add(hash, &part(5, bytes.len())), Ok(Some(bytes.clone())));
        assert_eq!(pieces.add(hash, &part(4, 5)), Err(Peer::Unexpected));
        assert_eq!(pieces.add(hash ^ 1, &part(0, bytes.len())), Err(Peer::Unexpected));
        let mut wrong = part(0, bytes.len());
        wrong.hash ^= 1;
        assert_eq!(pieces.add(hash ^ 1, &wrong), Err(Peer::Malformed));
    }
}
