using Polder.Apps.Bundles.Carrying;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>Somebody who breaks the rules of the mail-bag in every way there is: takes letters and throws them away, says that they arrived, brings them again and again, changed too, and floods.</summary>
internal sealed class HostileCarrier
{
    private readonly NodeHost _host;
    private readonly Prng _random;
    private readonly List<byte[]> _kept = [];

    public HostileCarrier(NodeHost host, Prng random)
    {
        (_host, _random) = (host, Prng.Derive(random.NextUInt64(), "hostile"));
        host.Streams.Refuse(MailWire.ProtocolName);
        host.Streams.Accept(MailWire.ProtocolName, TakeAsync);
        host.Sessions.Opened += session => _ = PesterAsync(session);
    }

    /// <summary>Wants everything, says of everything that it is carried or arrived, and keeps it for later.</summary>
    private async Task TakeAsync(PeerStream stream)
    {
        while (await MailFrames.ReadAsync(stream, default) is var (type, body))
            switch (type)
            {
                case MailFrame.Offer when MailOffer.Read(body) is { } offers:
                    await MailFrames.WriteAsync(stream, MailFrame.Answer, MailAnswer.WriteAll([.. offers.Select(_ => _random.Chance(0.8) ? new MailAnswer(MailVerdict.Want, _random.Chance(0.5)) : Lie())]), default);
                    break;
                case MailFrame.Letter:
                    if (_kept.Count < 200) _kept.Add(body);
                    var id = new LetterId(Hash256.Of(body.AsSpan(2)));
                    await MailFrames.WriteAsync(stream, MailFrame.Taken, (_random.Chance(0.5) ? new MailAnswer(MailVerdict.Carried) : Lie()).WriteTaken(id.Head), default);
                    break;
            }
    }

    private async Task PesterAsync(Session session)
    {
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1 + 5 * _random.NextDouble()), _host.Environment.Time);
            for (var i = 0; i < 3 && session.IsOpen; i++)
            {
                var stream = await _host.Streams.OpenAsync(session, MailWire.ProtocolName);
                if (stream is null) return;
                await using (stream)
                {
                    switch (_random.Next(4))
                    {
                        case 0: await ReplayAsync(stream); break;
                        case 1: await FloodAsync(stream); break;
                        case 2: await MailFrames.WriteAsync(stream, MailFrame.Notes, MailNotes.Write([.. Enumerable.Range(0, 20).Select(_ => Note())]), default); break;
                        default:
                            var junk = new byte[_random.Next(1, 600)];
                            _random.Fill(junk);
                            await stream.WriteAsync(junk);
                            break;
                    }
                }
            }
        }
        catch (Exception problem) when (problem is PeerStreamException or EndOfStreamException or OperationCanceledException or IOException) { }
    }

    private async Task ReplayAsync(PeerStream stream)
    {
        foreach (var letter in _kept.TakeLast(20).ToArray())
        {
            var bytes = letter.ToArray();
            if (_random.Chance(0.5)) bytes[_random.Next(bytes.Length)] ^= (byte)(1 << _random.Next(8));
            await MailFrames.WriteAsync(stream, MailFrame.Letter, bytes, default);
        }
    }

    /// <summary>Letters for nobody, as many as are wanted.</summary>
    private async Task FloodAsync(PeerStream stream)
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        _random.Fill(entropy);
        using var nobody = KeyPair.FromEntropy(entropy);
        var letters = Enumerable.Range(0, 12).Select(_ => SealedLetter.Seal(_host.Environment, _host.Identity, nobody.Public, LetterKinds.Chat, new byte[_random.Next(_random.Chance(0.1) ? 30_000 : 3_000)],
            _host.Environment.Time.GetUtcNow(), 1, (uint)_host.Environment.Time.GetUtcNow().ToUnixTimeSeconds() + 500_000, out DeliveryProof _)).ToArray();
        var offers = letters.Select(static letter =>
        {
            _ = Envelope.TryRead(letter, out var envelope);
            return new MailOffer(new LetterId(Hash256.Of(letter)).Head, envelope!.Class, envelope.Expires, new CarryTerms(16, 8, envelope.Hint, envelope.Ephemeral));
        }).ToArray();
        await MailFrames.WriteAsync(stream, MailFrame.Offer, MailOffer.Write(offers), default);
        if (await MailFrames.ReadAsync(stream, default) is not (MailFrame.Answer, var body) || MailAnswer.ReadAll(body, offers.Length) is not { } answers) return;
        for (var i = 0; i < letters.Length; i++)
            if (answers[i].Verdict == MailVerdict.Want || _random.Chance(0.2)) await MailFrames.WriteAsync(stream, MailFrame.Letter, LetterRecord.Write(16, 8, letters[i]), default);
    }

    private MailAnswer Lie() => new(MailVerdict.Arrived, Proof: Note().Proof);

    private ProofNote Note()
    {
        Span<byte> bytes = stackalloc byte[32];
        _random.Fill(bytes);
        var proof = new DeliveryProof(new Hash256(bytes));
        return new ProofNote(_kept.Count > 0 ? new LetterId(Hash256.Of(_kept[_random.Next(_kept.Count)].AsSpan(2))) : new LetterId(proof.Value), proof, 1, 1);
    }
}
