//! Page 2: what your device measures, obeys and asks.
//!
//! A catalogue is a constant that firmware and server share. Ids are what the wire carries; names and units are what people, tables and
//! rules see. Two entries with one id do not compile.
//! ```
//! use sensock::batch::Cell;
//! use sensock::{Catalog, Command, Fault, Quantity, Setting};
//!
//! /// Soil moisture in steps of 0.1 %; what lies outside of 0 to 100 % is a fault, not a reading.
//! const MOISTURE: Quantity<f32> = Quantity::new(1, "moisture", "%").scale(-1).range(0, 1000).every_ms(60_000);
//! const VALVE: Command<(u32, bool), bool> = Command::new(1, "valve");
//! const DRY: Setting<f32> = Setting::new(1, "dry-below");
//! const BED: Catalog<'_> = Catalog::new("bed-node 2.0.1", &[MOISTURE.entry()], &[VALVE.entry()], &[DRY.entry()]);
//!
//! assert_eq!(MOISTURE.is(41.27).cell, Cell::Value(413)); // an integer at the quantity's scale, rounded half to even
//! assert_eq!(MOISTURE.is(130.0).cell, Cell::Fault(Fault::TOO_HIGH.0));
//! assert_eq!(MOISTURE.is(f32::NAN).cell, Cell::Fault(Fault::NOT_A_NUMBER.0));
//! assert_eq!(MOISTURE.fault(Fault::NO_VALUE).cell, Cell::Fault(1)); // the sensor did not answer: that is worth a row too
//! # assert!(BED.len() < 100);
//! ```
//! Choose the **scale** as the sensor's own step. A reading at a finer scale costs bits for noise; at a coarser one it is rounded. A **range**
//! catches the 85 °C that a DS18B20 gives after a brown-out. With **`every_ms`** a server can tell a device that is connected and silent
//! from one that has nothing to say.
//!
//! # The server reads it without your code
//! The device sends its catalogue once; a server keeps it by device and hash, and shows, stores and commands by it.
//! ```
//! # use sensock::{Catalog, CatalogView, Command, Quantity};
//! # const MOISTURE: Quantity<f32> = Quantity::new(1, "moisture", "%").scale(-1);
//! # const VALVE: Command<(u32, bool), bool> = Command::new(1, "valve");
//! # const BED: Catalog<'_> = Catalog::new("bed-node 2.0.1", &[MOISTURE.entry()], &[VALVE.entry()], &[]);
//! use sensock::catalog::{Values, fnv1a};
//!
//! let mut bytes = [0; 128];
//! let len = BED.copy_at(0, &mut bytes);
//! let view = CatalogView::new(&bytes[..len]).unwrap();
//! assert_eq!(fnv1a(view.bytes()), BED.hash());
//! let valve = view.commands().next().unwrap();
//! assert_eq!((valve.name, valve.request.to_string()), ("valve", "u32, bool".to_owned()));
//!
//! // A person types "2, on"; the shape makes the body of it that the firmware expects.
//! let mut body = [0; 16];
//! let len = Values::encode_text(valve.request, "2, on", &mut body).unwrap();
//! assert_eq!(body[..len], [2, 1]);
//! assert!(Values::encode_text(valve.request, "2, perhaps", &mut body).is_err());
//! ```
//! Bodies are postcard of a closed grammar: `bool`, `i32`, `u32`, `i64`, `u64`, `f32`, text and bytes of at most 48, nothing, and tuples of two to four of
//! these. C, SQL and a command line can write all of it.
//!
//! # Changing it
//! A new firmware has a new hash, is asked for its catalogue, and its older records keep the catalogue of the boot in which they were made. So:
//! - **Add** entries freely. Give a new meaning a new id; never hand an old id to something else.
//! - **Another scale or range** of the same name and unit is a finer or coarser picture of the same thing.
//! - **Another unit or name** is another series in the store, on purpose: hPa are not Pa.
//! - Raise the firmware's version with each change. It is stored with the boot, and `status` shows it.
