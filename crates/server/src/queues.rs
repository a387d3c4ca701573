//! One queue for each committer. All works of a device are in the same one, so they keep their order.

use sensock::DeviceId;
use sensock::catalog::fnv1a;

use crate::queue::Queue;

/// See the module.
#[derive(Debug)]
pub(crate) struct Queues(Box<[Queue]>);

impl Queues {
    /// So many, each of which gives groups of about `full` rows.
    pub(crate) fn new(committers: usize, full: usize) -> Self {
        Queues((0..committers.max(1)).map(|_| Queue::new(full)).collect())
    }

    /// Where the works of this device go.
    pub(crate) fn of(&self, device: &DeviceId) -> &Queue {
        let at = match self.0.len() {
            1 => 0,
            many => fnv1a(device.as_bytes()) as usize % many,
        };
        &self.0[at]
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// That of one committer, counted from 0.
    pub(crate) fn number(&self, committer: usize) -> &Queue {
        &self.0[committer]
    }

    /// Bytes of memory that waiting works take, about.
    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(Queue::weight).sum()
    }

    /// How long a commit takes of late where it takes longest, in microseconds.
    pub(crate) fn commit_us(&self) -> u64 {
        self.0.iter().map(Queue::commit_us).max().unwrap_or(0)
    }

    /// Everything that was pushed before this time, which is now or earlier, is committed and reported.
    pub(crate) fn stored_until(&self, now_us: i64) -> i64 {
        self.0.iter().map(|queue| queue.stored_until(now_us)).min().unwrap_or(now_us)
    }

    /// Nothing more from callers; the committers end once their queues are empty.
    pub(crate) fn close(&self) {
        self.0.iter().for_each(Queue::close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Entry, Origin};
    use sensock_store::work::Work;

    fn ended(device: DeviceId) -> Entry {
        Entry { work: Work::Ended(device, Default::default()), origin: Origin::Nobody }
    }

    #[test]
    fn a_device_keeps_to_one_queue_and_devices_spread() {
        let queues = Queues::new(2, 1_000);
        let devices: Vec<DeviceId> =
            (0..100).map(|i| DeviceId::new(&format!("cellar-{i}")).unwrap()).collect();
        for device in devices.iter().chain(&devices) {
            queues.of(device).push([ended(*device)]);
        }
        let taken = [0, 1].map(|number| queues.number(number).take(0));
        for (number, entries) in taken.iter().enumerate() {
            assert!((40..=160).contains(&entries.len()), "{} of 200 in queue {number}", entries.len());
            let of = |e: &Entry| matches!(e.work, Work::Ended(d, _) if std::ptr::eq(queues.of(&d), queues.number(number)));
            assert!(entries.iter().all(of));
        }
    }

    #[tokio::test]
    async fn what_any_of_them_has_under_way_is_not_stored() {
        let queues = Queues::new(2, 1_000);
        assert_eq!(queues.stored_until(10), 10);
        queues.number(1).push([ended(DeviceId::new("a").unwrap())]);
        assert_eq!((queues.stored_until(20), queues.weight() > 0), (0, true));
        queues.number(1).take(30);
        queues.number(1).reported();
        assert_eq!(queues.stored_until(40), 40);
        queues.close();
        assert!(!queues.number(0).ready().await && !queues.number(1).ready().await);
    }
}
