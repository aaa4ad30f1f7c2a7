using System.Globalization;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Dht;

namespace Polder.Apps.Contacts.Speaking;

/// <summary>A spoken code as it is shown.</summary>
/// <param name="Code">The code.</param>
/// <param name="Made">Whether this node made it.</param>
/// <param name="State">How far it is.</param>
/// <param name="Met">The contact that came of it; null before.</param>
public sealed record SpokenCodeView(string Code, bool Made, SpokenCodeState State, PublicKey? Met);

/// <summary>
/// Two people who type the same code become contacts, verified on both sides, without having shown each other a key. They meet where their nodes know each other
/// already, or in the DHT under the code's number; the words stay secret (SPAKE2), and whoever stands between them has one guess. On the node's loop.
/// </summary>
public sealed class SpokenCodes
{
    /// <summary>How long a code holds.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private const int WordsMade = 3, CandidatesMax = 32, KnocksAMinuteMax = 30;
    private static readonly TimeSpan RunTime = TimeSpan.FromSeconds(10), DhtInterval = TimeSpan.FromSeconds(6);

    private readonly NodeHost _host;
    private readonly ContactBook _book;
    private readonly Dictionary<PublicKey, TimeSpan> _knocked = new(PublicKey.Comparer);
    private SpokenCode? _code;
    private CodeCommunity? _community;
    private bool _stepping;
    private TimeSpan _dhtDue, _minute;
    private int _answeredThisMinute;

    /// <summary>Needs a <see cref="ContactBook"/> at the host.</summary>
    public SpokenCodes(NodeHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        (_host, _book) = (host, host.Find<ContactBook>() ?? throw new InvalidOperationException("Offer a ContactBook to the host first."));
    }

    /// <summary>The code changed its state.</summary>
    public event Action? Changed;

    /// <summary>The code of now, or the last one; null while there was none.</summary>
    public SpokenCodeView? Current => _code is { } code ? new SpokenCodeView(code.Text, code.Made, code.State, code.Met) : null;

    /// <summary>Makes a code for the owner to say, and waits for whoever types it. A code that waited before is given up.</summary>
    public SpokenCodeView Make()
    {
        Span<byte> words = stackalloc byte[WordsMade];
        _host.Environment.Random.Fill(words);
        var number = _host.Environment.Random.Next(1000, 10_000).ToString(CultureInfo.InvariantCulture);
        return Begin(WormholeCode.Make(number, words).Text, made: true);
    }

    /// <summary>Takes a code that somebody said; null where it is none.</summary>
    public SpokenCodeView? Take(string text)
    {
        var read = ContactText.Read(text);
        if (read.Kind != ContactTextKind.SpokenCode) return null;
        // The own code, typed where it was made: it waits already.
        return _code is { State: SpokenCodeState.Waiting } own && own.Text == read.Text ? Current : Begin(read.Text, made: false);
    }

    /// <summary>Gives the code up.</summary>
    public void Stop()
    {
        if (_code is { State: SpokenCodeState.Waiting } code) End(code, SpokenCodeState.Expired);
        _code = null;
        Changed?.Invoke();
    }

    /// <summary>Looks for the other side. Called by the community every three seconds.</summary>
    internal async Task StepAsync()
    {
        if (_stepping || _code is not { State: SpokenCodeState.Waiting } code || _community is not { IsLeft: false }) return;
        _stepping = true;
        try
        {
            if (_host.Now >= code.Until)
            {
                End(code, SpokenCodeState.Expired);
                return;
            }
            foreach (var peer in await CandidatesAsync(code))
            {
                if (code.State != SpokenCodeState.Waiting || _code != code) return;
                await KnockAsync(code, peer);
            }
        }
        finally { _stepping = false; }
    }

    /// <summary>Somebody knocks. Called by the community.</summary>
    internal ReadOnlyMemory<byte> Answer(PublicKey from, CodeKnock knock)
    {
        if (_code is not { State: SpokenCodeState.Waiting } code || code.Place != knock.Place || _book.IsBlocked(from)) return default;
        if (_host.Now - _minute > TimeSpan.FromMinutes(1)) (_minute, _answeredThisMinute) = (_host.Now, 0);
        foreach (var (key, run) in code.Runs.ToArray())
            if (_host.Now - run.At > RunTime) code.Runs.Remove(key);
        if (_answeredThisMinute >= KnocksAMinuteMax || (code.Runs.Count >= SpokenCode.RunsMax && !code.Runs.ContainsKey(from))) return default;
        _answeredThisMinute++;
        using var spake = Start(code, from);
        var message = spake.Message.ToArray();
        if (spake.Finish(knock.Message.Span) is not { } agreed) return default;
        code.Runs[from] = (agreed, _host.Now);
        return message;
    }

    /// <summary>Whoever knocked proves its key. A wrong proof spends the code: somebody has guessed, and may not guess again. Called by the community.</summary>
    internal async Task<(byte Verdict, Hash256 Proof)> ConfirmAsync(PublicKey from, CodeConfirm confirm)
    {
        if (_code is not { } code || code.Place != confirm.Place) return (CodeConfirmed.NotNow, default);
        var own = _host.Identity.Public;
        // The same once more: the answer was lost on its way.
        if (code.State == SpokenCodeState.Met && code.Met == from && SpokenCode.Same(SpokenCode.Proof(code.MetKey, "knock"u8, from, own), confirm.Proof))
            return (CodeConfirmed.Right, SpokenCode.Proof(code.MetKey, "answer"u8, own, from));
        if (code.State != SpokenCodeState.Waiting || !code.Runs.Remove(from, out var run) || _host.Now - run.At > RunTime) return (CodeConfirmed.NotNow, default);
        if (!SpokenCode.Same(SpokenCode.Proof(run.Key, "knock"u8, from, own), confirm.Proof))
        {
            End(code, SpokenCodeState.Spent);
            return (CodeConfirmed.Wrong, default);
        }
        // Nobody else may use it while the disk works.
        if (!await MeetAsync(code, from, run.Key)) return (CodeConfirmed.NotNow, default);
        return (CodeConfirmed.Right, SpokenCode.Proof(run.Key, "answer"u8, own, from));
    }

    private SpokenCodeView Begin(string text, bool made)
    {
        if (_code is { State: SpokenCodeState.Waiting } before) End(before, SpokenCodeState.Expired);
        _code = new SpokenCode(text, made, _host.Now + Lifetime);
        _knocked.Clear();
        _dhtDue = _host.Now;
        _community ??= _host.Join(context => new CodeCommunity(context, this));
        Changed?.Invoke();
        _community.Run(StepAsync());
        return Current!;
    }

    private void End(SpokenCode code, SpokenCodeState state)
    {
        code.State = state;
        code.Runs.Clear();
        if (_host.Find<DhtService>() is { } dht) dht.Forget(Topic(code));
        Changed?.Invoke();
    }

    /// <summary>Those who may have the code: neighbours, and whoever says in the DHT that it waits at this number.</summary>
    private async Task<List<Peer>> CandidatesAsync(SpokenCode code)
    {
        var found = new List<Peer>();
        if (_host.Now >= _dhtDue && _host.Find<DhtService>() is { } dht)
        {
            _dhtDue = _host.Now + DhtInterval;
            await dht.JoinAsync(Topic(code), (byte[])[1], Lifetime);
            if (!code.Made)
                foreach (var member in (await dht.MembersAsync(Topic(code))).Members.Take(SpokenCode.RunsMax))
                    if (member.Publisher != _host.Identity.Public && await _host.Connector.ConnectAsync(member.Publisher) is { } session) found.Add(session.Peer);
        }
        // Whoever made the code waits; else both would show each other their one guess.
        if (code.Made) return [];
        foreach (var session in _host.Sessions.All) found.Add(session.Peer);
        foreach (var peer in _host.Peers.All)
            if (peer is { IsValidated: true, IsPolder: true }) found.Add(peer);
        return [.. found.DistinctBy(static peer => peer.Key).Where(peer => !_book.IsBlocked(peer.Key))
            .OrderBy(peer => _knocked.GetValueOrDefault(peer.Key, TimeSpan.MinValue)).ThenBy(static peer => peer.Key).Take(CandidatesMax)];
    }

    private async Task KnockAsync(SpokenCode code, Peer peer)
    {
        _knocked[peer.Key] = _host.Now;
        using var spake = Start(code, peer.Key);
        if (await _community!.KnockAsync(peer, code.Place, spake.Message) is not { Length: > 0 } message) return;
        if (spake.Finish(message.Span) is not { } key || code.State != SpokenCodeState.Waiting) return;
        var own = _host.Identity.Public;
        code.Guesses--;
        var answer = await _community.ConfirmAsync(peer, code.Place, SpokenCode.Proof(key, "knock"u8, own, peer.Key));
        if (code.State != SpokenCodeState.Waiting) return;
        if (answer is { Verdict: CodeConfirmed.Right } && SpokenCode.Same(SpokenCode.Proof(key, "answer"u8, peer.Key, own), answer.Value.Proof))
            await MeetAsync(code, peer.Key, key);
        else if (code.Guesses == 0) End(code, SpokenCodeState.Spent);
    }

    private async Task<bool> MeetAsync(SpokenCode code, PublicKey other, Hash256 key)
    {
        (code.Met, code.MetKey, code.State) = (other, key, SpokenCodeState.Met);
        var refusal = await _book.AddAsync(other, verified: true);
        if (refusal is not (ContactRefusal.None or ContactRefusal.Already))
        {
            (code.Met, code.MetKey, code.State) = (null, default, SpokenCodeState.Waiting);
            return false;
        }
        End(code, SpokenCodeState.Met);
        return true;
    }

    private Spake2 Start(SpokenCode code, PublicKey other)
    {
        Span<byte> entropy = stackalloc byte[Spake2.EntropyBytes];
        _host.Environment.Random.Fill(entropy);
        return code.Start(_host.Identity.Public, other, entropy);
    }

    private static Hash256 Topic(SpokenCode code)
    {
        Span<byte> place = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(place, code.Place);
        return Hash256.Of([.. "polder/contacts/meet/1"u8, .. place]);
    }
}
