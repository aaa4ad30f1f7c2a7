using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Overlay.Relays;
using Polder.Runtime;

namespace Polder.Tests.Overlay.Nat;

/// <summary>Records, frames and probes: there and back, every truncation refused, nothing that a stranger sends does harm.</summary>
public sealed class NatCodecTests
{
    private static readonly KeyPair Alice = Key(1), Bob = Key(2), Carol = Key(3);
    private static readonly Endpoint Address = Endpoint.FromIPv4(0x09080706, 4711);
    private static readonly Endpoint Address6 = Endpoint.FromBytes([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], 4711);

    private static KeyPair Key(ulong seed)
    {
        var entropy = new byte[KeyPair.EntropyBytes];
        new Prng(seed).Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }

    private static PunctureRecord Record => new(Alice.Public, NatClass.Random, true, -3, 40_000, 44_000, 77, 99, 256,
        [new(CandidateKind.Outer, Address), new(CandidateKind.Lan, Endpoint.FromIPv4(0xC0A80102, 8090)), new(CandidateKind.Mapped, Address6)]);

    private static readonly byte[] RecordBytes = Record.Sign(Alice, Bob.Public, Ed25519Signatures.Instance);

    [Fact]
    public void A_record_is_read_by_whom_it_was_signed_for_and_by_nobody_else()
    {
        var read = PunctureRecord.TryRead(RecordBytes, Bob.Public, Ed25519Signatures.Instance);
        Assert.NotNull(read);
        Assert.Equal(Record.Addresses, read.Addresses);
        Assert.Equal(Record with { Addresses = [] }, read with { Addresses = Record.Addresses is var _ ? [] : [] });
        Assert.Equal(Address, read.Outer);
        Assert.Null(PunctureRecord.TryRead(RecordBytes, Carol.Public, Ed25519Signatures.Instance));
        for (var i = 0; i < RecordBytes.Length; i++)
        {
            var changed = RecordBytes.ToArray();
            changed[i] ^= 1;
            Assert.Null(PunctureRecord.TryRead(changed, Bob.Public, Ed25519Signatures.Instance));
        }
        Fuzz.RefusesEveryTruncation(RecordBytes, bytes => PunctureRecord.TryReadUnchecked(bytes) is not null);
    }

    [Fact]
    public void A_record_with_all_addresses_fits_its_bound()
    {
        var largest = Record with { Addresses = [.. Enumerable.Range(0, 8).Select(i => new CandidateAddress(CandidateKind.Lan, Address6))] };
        Assert.Equal(PunctureRecord.BytesMax, largest.Sign(Alice, Bob.Public, Ed25519Signatures.Instance).Length);
        Assert.True(PunctureRecord.BytesMax + SealedRecord.OverheadBytes <= PunctureForward.SealedBytesMax);
    }

    [Fact]
    public void A_sealed_record_is_opened_by_its_recipient_only()
    {
        var box = SealedRecord.Seal(RecordBytes, Bob.Public, SodiumSessionCrypto.Instance, new Prng(5));
        Assert.Equal(RecordBytes, SealedRecord.TryOpen(box, Bob, SodiumSessionCrypto.Instance));
        Assert.Null(SealedRecord.TryOpen(box, Carol, SodiumSessionCrypto.Instance));
        box[^1] ^= 1;
        Assert.Null(SealedRecord.TryOpen(box, Bob, SodiumSessionCrypto.Instance));
    }

    [Fact]
    public void A_probe_has_61_bytes_and_comes_back()
    {
        foreach (var address in new[] { Address, Address6 })
        {
            var probe = new PunctureProbe(ProbeKind.Answer, 5, ulong.MaxValue, address);
            var bytes = new byte[61];
            probe.Write(bytes);
            Assert.Equal(0x09, bytes[0]);
            Assert.True(PunctureProbe.TryRead(bytes, out var read));
            Assert.Equal(probe, read);
            Fuzz.RefusesEveryTruncation(bytes, cut => PunctureProbe.TryRead(cut, out _));
        }
    }

    [Fact]
    public void A_statement_holds_for_its_relay_and_its_pair_only()
    {
        var statement = new RelayStatement(7, 1, 16 << 20, 5, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        var body = new byte[RelayStatement.CountersignedBytes];
        statement.Write(body);
        statement.Sign(Alice, Alice.Public, Bob.Public, Carol.Public, Ed25519Signatures.Instance, body.AsSpan(32, 64));
        statement.Sign(Bob, Alice.Public, Bob.Public, Carol.Public, Ed25519Signatures.Instance, body.AsSpan(96, 64));
        Assert.True(RelayStatement.TryRead(body, out var read, out var relays, out var counter));
        Assert.Equal(statement, read);
        Assert.True(read.IsSignedBy(Alice.Public, Alice.Public, Bob.Public, Carol.Public, Ed25519Signatures.Instance, relays));
        Assert.True(read.IsSignedBy(Bob.Public, Alice.Public, Bob.Public, Carol.Public, Ed25519Signatures.Instance, counter));
        Assert.False(read.IsSignedBy(Alice.Public, Alice.Public, Carol.Public, Bob.Public, Ed25519Signatures.Instance, relays));
        Assert.False((read with { Forth = 6 }).IsSignedBy(Alice.Public, Alice.Public, Bob.Public, Carol.Public, Ed25519Signatures.Instance, relays));
        Assert.True(RelayStatement.TryRead(body.AsSpan(0, RelayStatement.Bytes), out _, out _, out var none) && none.IsEmpty);
    }

    [Fact]
    public void Probes_survive() => Fuzz.Run(nameof(PunctureProbe), [Bytes(61, body => new PunctureProbe(ProbeKind.Probe, 1, 2, Address).Write(body))],
        static bytes => PunctureProbe.TryRead(bytes, out _));

    [Fact]
    public void Records_survive() => Fuzz.Run(nameof(PunctureRecord), [RecordBytes], static bytes =>
    {
        if (PunctureRecord.TryReadUnchecked(bytes) is not { } record) return;
        Assert.InRange(record.Addresses.Count, 0, PunctureRecord.AddressesMax);
        _ = PunctureRecord.TryRead(bytes, Bob.Public, Ed25519Signatures.Instance);
    });

    [Fact]
    public void Sealed_records_survive() => Fuzz.Run(nameof(SealedRecord), [SealedRecord.Seal(RecordBytes, Bob.Public, SodiumSessionCrypto.Instance, new Prng(5))],
        static bytes => SealedRecord.TryOpen(bytes, Bob, SodiumSessionCrypto.Instance));

    [Fact]
    public void Forwards_survive()
    {
        var buffer = new byte[PunctureForward.BytesMax];
        var sample = new PunctureForward
        {
            Kind = ForwardKind.Passed, Other = Alice.Public.Bytes, SeenAt = Address, SenderRoundTrip = 5, ReceiverRoundTrip = 6, Sealed = RecordBytes,
        }.WriteTo(buffer).ToArray();
        Assert.True(PunctureForward.TryRead(sample, out var read) && read.SeenAt == Address && read.Sealed.SequenceEqual(RecordBytes));
        Fuzz.Run(nameof(PunctureForward), [sample], static bytes => PunctureForward.TryRead(bytes, out _));
    }

    [Fact]
    public void Dial_back_frames_survive()
    {
        Fuzz.Run(nameof(DialBackAsk), [Bytes(DialBackAsk.Bytes, body => new DialBackAsk(DialBackKind.Spare, 5, 7).Write(body))], static bytes => DialBackAsk.TryRead(bytes, out _));
        Fuzz.Run(nameof(DialBackDo), [Bytes(DialBackDo.Bytes, body => new DialBackDo(5, Address).Write(body))], static bytes => DialBackDo.TryRead(bytes, out _));
    }

    [Fact]
    public void Relay_frames_survive()
    {
        Fuzz.Run(nameof(RelayReserve), [Bytes(RelayReserve.Bytes, body => new RelayReserve(5).Write(body))], static bytes => RelayReserve.TryRead(bytes, out _));
        Fuzz.Run(nameof(RelayGrant), [Bytes(RelayGrant.Bytes, body => new RelayGrant(RelayStatus.Full, 5, 9).Write(body))], static bytes => RelayGrant.TryRead(bytes, out _));
        Fuzz.Run(nameof(RelayOpen), [Bytes(RelayOpen.Bytes, body => new RelayOpen { Kind = RelayOpenKind.Ask, Other = Bob.Public.Bytes }.Write(body))],
            static bytes => RelayOpen.TryRead(bytes, out _));
        Fuzz.Run(nameof(RelayData), [new byte[50]], static bytes => RelayData.TryRead(bytes, out _, out _));
        Fuzz.Run(nameof(RelayStatement), [new byte[RelayStatement.Bytes], new byte[RelayStatement.CountersignedBytes]],
            static bytes => RelayStatement.TryRead(bytes, out _, out _, out _));
    }

    private delegate void Writing(Span<byte> body);

    private static byte[] Bytes(int count, Writing write)
    {
        var bytes = new byte[count];
        write(bytes);
        return bytes;
    }
}
