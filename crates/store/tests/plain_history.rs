//! A store that has only what it must have: what the traits do by themselves gives the same as a store's own.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock::{CommandId, DeviceId, Lane, Position};
use sensock_store::conformance::{self, fixture};
use sensock_store::*;

/// The memory store without what it does better than the traits.
#[derive(Clone, Debug, Default)]
struct Plain(MemoryStore);

impl Store for Plain {
    type Error = <MemoryStore as Store>::Error;
    type Tx = <MemoryStore as Store>::Tx;

    async fn info(&self) -> Result<StoreInfo, <Self as Store>::Error> {
        self.0.info().await
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, <Self as Store>::Error> {
        Store::load(&self.0, device).await
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(Self::Tx, Vec<Position>), <Self as Store>::Error> {
        self.0.begin(lanes).await
    }

    fn failure(&self, error: &<Self as Store>::Error) -> Failure {
        self.0.failure(error)
    }
}

type Error = <MemoryStore as History>::Error;

impl History for Plain {
    type Error = Error;

    async fn devices(&self) -> Result<Vec<DeviceRow>, Error> {
        self.0.devices().await
    }

    async fn latest(&self, device: &DeviceId) -> Result<Vec<NamedReading>, Error> {
        self.0.latest(device).await
    }

    async fn range(
        &self,
        device: &DeviceId,
        span: Span,
        after: Option<(LaneId, Position)>,
        limit: usize,
    ) -> Result<Vec<NamedReading>, Error> {
        self.0.range(device, span, after, limit).await
    }

    async fn gaps(&self, device: &DeviceId, span: Span) -> Result<Vec<GapRow>, Error> {
        self.0.gaps(device, span).await
    }

    async fn connections(&self, device: &DeviceId, span: Span) -> Result<Vec<ConnectionRow>, Error> {
        self.0.connections(device, span).await
    }

    async fn boots(&self, device: &DeviceId) -> Result<Vec<BootRow>, Error> {
        self.0.boots(device).await
    }

    async fn commands(&self, device: &DeviceId, limit: usize) -> Result<Vec<CommandRow>, Error> {
        self.0.commands(device, limit).await
    }

    async fn command(&self, device: &DeviceId, id: CommandId) -> Result<Option<CommandRow>, Error> {
        self.0.command(device, id).await
    }

    async fn settings(&self, device: &DeviceId) -> Result<Vec<SettingRow>, Error> {
        self.0.settings(device).await
    }

    async fn quarantine(&self, device: &DeviceId) -> Result<Vec<QuarantineRow>, Error> {
        self.0.quarantine(device).await
    }

    async fn feed(&self, cursor: &Cursor, limit: usize) -> Result<(Vec<FeedItem>, Cursor), Error> {
        self.0.feed(cursor, limit).await
    }
}

#[tokio::test]
async fn a_store_that_only_has_what_it_must_have_conforms() {
    conformance::run(async || Plain::default()).await;
}

/// All that a reader of these devices gets, page by page, each lane in its order; and where it stands then.
async fn read(
    store: &impl History,
    devices: &[DeviceId],
    from: &Cursor,
    limit: usize,
) -> (Vec<FeedItem>, Cursor) {
    let (mut items, mut cursor) = (Vec::new(), from.clone());
    for turn in 0.. {
        let page = store.feed_of(devices, &cursor, limit).await.unwrap();
        assert!(turn < 1_000, "the feed does not end");
        items.extend(page.items);
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    items.sort_by_key(FeedItem::lane);
    (items, cursor)
}

/// Three devices, two of which are read; of the others one never proved itself live, as after an import.
async fn filled() -> Plain {
    let store = Plain::default();
    for (name, is_known) in [("cellar", true), ("attic", true), ("roof", true), ("shed", false)] {
        let device = fixture::device(name);
        let lanes = Lane::ALL.map(|lane| LaneId { device, lane });
        let mut batch = Batch::default();
        batch.devices.extend(is_known.then(|| fixture::device_row(device, 1, 7)));
        for (lane, many) in lanes.into_iter().zip([3, 0, 40]) {
            let at = |n| Position::new(1, n);
            batch.readings.extend((0..many).map(|n| fixture::reading(lane, at(n), n as i32)));
            if many > 0 {
                batch.gaps.push(fixture::gap(lane, at(many), 5));
                batch.readings.push(fixture::reading(lane, at(many + 5), 7));
                batch.marks.push((lane, at(many + 5)));
            }
        }
        fixture::write(&store, batch).await;
    }
    store
}

#[tokio::test]
async fn a_feed_of_some_devices_is_what_a_store_of_its_own_gives() {
    let store = filled().await;
    let [cellar, attic, roof, shed] = ["cellar", "attic", "roof", "shed"].map(fixture::device);
    // Somebody else's place in a lane stays as it is.
    let other = LaneId { device: roof, lane: Lane::Readings };
    let half = LaneId { device: cellar, lane: Lane::Readings };
    let within = Cursor { lanes: [(other, Position::new(1, 3)), (half, Position::new(1, 20))].into() };
    for devices in [vec![cellar, attic], vec![shed], vec![cellar, attic, roof, shed], vec![]] {
        for from in [Cursor::default(), within.clone()] {
            for limit in [1, 4, 1_000] {
                let (items, cursor) = read(&store, &devices, &from, limit).await;
                let (expected, end) = read(&store.0, &devices, &from, limit).await;
                assert_eq!(items, expected, "{devices:?}, {limit} at once");
                assert_eq!(cursor, end, "{devices:?}, {limit} at once");
                assert!(devices.is_empty() == items.is_empty());
            }
        }
    }
}
