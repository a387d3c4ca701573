//! The catalogues of those who are connected: boards of one firmware share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use super::sheet::Sheet;
use crate::inbox::lock;

/// One for each firmware.
#[derive(Debug, Default)]
pub(crate) struct Sheets {
    /// By hash, the last of each; where two differ all the same, both live with their connections.
    table: Mutex<HashMap<u64, Weak<Sheet>>>,
}

impl Sheets {
    /// As [`Sheet::read`], once for all that are equal.
    pub(crate) fn read(&self, hash: u64, bytes: &[u8]) -> Option<Arc<Sheet>> {
        let sheet = Sheet::read(hash, bytes)?;
        let mut table = lock(&self.table);
        let known = table.get(&hash).and_then(Weak::upgrade).filter(|known| **known == sheet);
        Some(known.unwrap_or_else(|| {
            // What nobody has any more leaves before the table grows.
            if table.len() == table.capacity() {
                table.retain(|_, sheet| sheet.strong_count() > 0);
            }
            let sheet = Arc::new(sheet);
            table.insert(hash, Arc::downgrade(&sheet));
            sheet
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{Catalog, Quantity};

    const T: Quantity<f32> = Quantity::new(3, "t", "Cel");
    const C: Quantity<u32> = Quantity::new(1, "c", "");

    fn bytes(catalog: &Catalog<'_>) -> Vec<u8> {
        let mut bytes = vec![0; catalog.len()];
        catalog.copy_at(0, &mut bytes);
        bytes
    }

    #[test]
    fn boards_of_one_firmware_share_a_sheet_and_contradictions_do_not() {
        const ONE: Catalog<'_> = Catalog::new("x 1", &[T.entry(), C.entry()], &[], &[]);
        const OTHER: Catalog<'_> = Catalog::new("x 1", &[C.entry()], &[], &[]);
        let (sheets, ours) = (Sheets::default(), bytes(&ONE));
        let [one, two] = [(); 2].map(|()| sheets.read(7, &ours).unwrap());
        assert!(Arc::ptr_eq(&one, &two));
        assert!(sheets.read(7, &bytes(&OTHER)).unwrap().column(3).is_none());
        assert!(sheets.read(7, &ours).unwrap().column(3).is_some());
        drop((one, two));
        (100..200).for_each(|hash| assert!(sheets.read(hash, &ours).is_some()));
        assert!(lock(&sheets.table).len() < 50, "of those that nobody has few are left");
    }
}
