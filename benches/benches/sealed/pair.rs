//! A device on this thread and a server on another, over TCP on loopback.

use std::time::Duration;

use benches::{CELLAR, HUMIDITY, Plain, TEMPERATURE, records};
use embedded_io_adapters::tokio_1::FromTokio;
use rustix::time::{ClockId, clock_gettime};
use sensock::seal::{Credential, KeyId, NoEntropy};
use sensock_device::{Boot, Buffers, Device, Key, Node, Outbox, TokioClock};
use sensock_server::{AnyDevice, DeviceId, History, Keyring, Keys, Server, Store, listen};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Both ends.
pub struct Pair {
    runtime: Runtime,
    device: Device<'static>,
    records: Box<dyn Iterator<Item = Plain>>,
}

pub fn random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
}

impl Pair {
    pub fn new<S: Store + History>(sealed: bool, store: impl AsyncFnOnce() -> S) -> Pair {
        let credential = Credential { id: KeyId([1; 8]), key: sensock::seal::Key::new([7; 32]) };
        let serving = Builder::new_current_thread().enable_all().build().unwrap();
        let address = serving.block_on(async {
            let store = store().await;
            if sealed {
                let mut ring = Keyring::default();
                ring.add(DeviceId::new("cellar-3").unwrap(), credential.clone());
                serve(store, ring).await
            } else {
                serve(store, AnyDevice).await
            }
        });
        std::thread::spawn(move || serving.block_on(std::future::pending::<()>()));
        let key = if sealed { Key::Sealed(Box::leak(Box::new(credential)), random) } else { Key::Insecure };
        let outbox: &'static Outbox<{ 64 << 10 }> = Box::leak(Box::default());
        let buffers = Box::leak(Box::new(Buffers::<4096>::new()));
        let node = Node { id: "cellar-3", key, catalog: &CELLAR, boot: Boot::Number(1) };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let device = runtime.block_on(async {
            let clock = Box::leak(Box::new(TokioClock::new()));
            let (device, mut runner) = outbox.start(&node, &*clock, buffers);
            tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (reader, writer) = stream.into_split();
                let ended = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
                panic!("the connection ended: {ended}");
            });
            device
        });
        Pair { runtime, device, records: Box::new(records(1_000).into_iter().cycle()) }
    }

    /// So many batches, each when the one before is acknowledged; what the server computed for them.
    pub fn go(&mut self, batches: usize, count: usize) -> Duration {
        let before = others();
        for _ in 0..batches {
            self.runtime.block_on(async {
                for Plain { temperature, humidity, .. } in self.records.by_ref().take(count) {
                    self.device.record(&[TEMPERATURE.is(temperature), HUMIDITY.is(humidity)]).unwrap();
                }
                self.device.drain().await;
            });
        }
        others() - before
    }
}

async fn serve<S: Store + History, K: Keys>(store: S, keys: K) -> std::net::SocketAddr {
    let (server, events) = Server::builder(store, keys).start().await.unwrap();
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
    drop(events);
    address
}

/// What all threads but this one have computed.
fn others() -> Duration {
    let [all, own] = [ClockId::ProcessCPUTime, ClockId::ThreadCPUTime].map(|clock| {
        let time = clock_gettime(clock);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    });
    all - own
}
