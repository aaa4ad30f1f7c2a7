using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Sessions;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>When what happens: who is looked for, who is given something, what has had its time.</summary>
internal sealed class MailRounds
{
    private const int ConnectingMax = 8, FriendsSoughtPerBeat = 2, NotesAtFirst = 128;
    private static readonly TimeSpan TryFirst = TimeSpan.FromSeconds(20), TryMost = TimeSpan.FromMinutes(30), TryAtPost = TimeSpan.FromSeconds(5), TellAfter = TimeSpan.FromSeconds(1),
        PruneInterval = TimeSpan.FromMinutes(1), RespreadAfter = TimeSpan.FromHours(24), GreetWithin = TimeSpan.FromMilliseconds(200);

    private readonly Mailbag _bag;
    private readonly NodeHost _host;
    private readonly MailGiver _giver;
    private readonly Dictionary<Session, MailTalk> _talks = [];
    private readonly Dictionary<PublicKey, (TimeSpan TriedAt, TimeSpan Wait)> _tries = new(PublicKey.Comparer);
    private ITimer? _timer, _telling;
    private TimeSpan _prunedAt;
    private bool _isLooking, _isTelling, _stopped;
    private int _connecting;

    public MailRounds(Mailbag bag, NodeHost host, MailGiver giver)
    {
        (_bag, _host, _giver) = (bag, host, giver);
        host.Sessions.Opened += OnOpened;
        host.Sessions.Closed += session => _talks.Remove(session);
    }

    /// <summary>Begins the regular rounds. Called with the first letter or session: an idle bag costs nothing.</summary>
    public void Wake()
    {
        if (_timer is not null || _stopped) return;
        // Not all nodes of a place at the same moment.
        var first = _host.Environment.Random.NextDuration(_bag.Options.Interval);
        _timer = _host.Environment.Time.CreateTimer(static self => ((MailRounds)self!).Beat(), this, first, _bag.Options.Interval);
    }

    public void Stop()
    {
        _stopped = true;
        _timer?.Dispose();
        _telling?.Dispose();
    }

    /// <summary>What was said with a peer in its present session; null when that is over.</summary>
    public MailTalk? TalkOf(Session session)
    {
        if (!session.IsOpen) return null;
        if (!_talks.TryGetValue(session, out var talk)) _talks[session] = talk = new MailTalk(session) { NotesTold = Math.Max(0, _bag.Notes.Last - NotesAtFirst) };
        return talk;
    }

    /// <summary>There is a new letter for somebody.</summary>
    public void Posted(PublicKey to)
    {
        Wake();
        if (_host.Sessions.Find(to) is { } session) Give(session);
        else if (!_tries.TryGetValue(to, out var tried) || _host.Now - tried.TriedAt >= TryAtPost) Seek(to);
    }

    /// <summary>Something changed that may be given on: every peer is looked at once, soon.</summary>
    public void Look()
    {
        Wake();
        if (_isLooking || _stopped) return;
        _isLooking = true;
        _host.Environment.Loop.Post(() =>
        {
            _isLooking = false;
            if (IsOver()) return;
            foreach (var session in _host.Sessions.All.ToArray()) Give(session);
        });
    }

    /// <summary>Somebody is to be told that its letter arrived: a little later, so that one receipt tells of many.</summary>
    public void TellSoon()
    {
        if (_stopped || !_bag.Inbox.HasDue) return;
        Wake();
        _telling ??= _host.Environment.Time.CreateTimer(static self => ((MailRounds)self!).Tell(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (_isTelling) return;
        _isTelling = true;
        _telling.Change(TellAfter, Timeout.InfiniteTimeSpan);
    }

    private void OnOpened(Session session)
    {
        if (_stopped) return;
        _tries.Remove(session.Peer.Key);
        Wake();
        _bag.Watch(GreetAsync(session));
    }

    private async Task GreetAsync(Session session)
    {
        // Its first packets are those of the handshake; and both sides would begin at the same moment.
        await Task.Delay(_host.Environment.Random.NextDuration(GreetWithin), _host.Environment.Time);
        if (!IsOver()) Give(session);
    }

    private void Give(Session session)
    {
        if (TalkOf(session) is { } talk) _bag.Watch(_giver.RunAsync(talk));
    }

    private bool IsOver()
    {
        if (!_stopped && _host.Communities.Count == 0) Stop();
        return _stopped;
    }

    private void Beat()
    {
        if (IsOver()) return;
        var now = _host.Now;
        if (now - _prunedAt >= PruneInterval)
        {
            _prunedAt = now;
            _bag.Prune(RespreadAfter);
        }
        foreach (var receiver in _bag.Outbox.Receivers)
            if (_host.Sessions.Find(receiver) is null && IsDue(receiver)) Seek(receiver);
        SeekForCarried();
        SeekFriends();
        foreach (var session in _host.Sessions.All.ToArray()) Give(session);
        TellSoon();
    }

    /// <summary>Contacts for whom we carry something.</summary>
    private void SeekForCarried()
    {
        if (_bag.Carried.Count == 0) return;
        foreach (var card in _bag.Contacts.All)
            if (!card.Blocked && _connecting < ConnectingMax && _host.Sessions.Find(card.Key) is null && IsDue(card.Key) && _bag.HasCarriedFor(card.Key)) Seek(card.Key);
    }

    /// <summary>Friends who could carry what waits.</summary>
    private void SeekFriends()
    {
        if (!_bag.Outbox.Open.Any(letter => letter.Copies > 0 && _bag.MayGive(letter, isFriend: true))) return;
        var away = _bag.Contacts.All.Where(card => !card.Blocked && _host.Sessions.Find(card.Key) is null && IsDue(card.Key)).ToArray();
        _host.Environment.Random.Shuffle<Contacts.ContactCard>(away);
        foreach (var card in away.Take(FriendsSoughtPerBeat)) Seek(card.Key);
    }

    private bool IsDue(PublicKey key) => !_tries.TryGetValue(key, out var tried) || _host.Now - tried.TriedAt >= tried.Wait;

    private void Seek(PublicKey key)
    {
        if (_connecting >= ConnectingMax || _bag.Contacts.IsBlocked(key)) return;
        var wait = _tries.TryGetValue(key, out var tried) ? tried.Wait * 2 : TryFirst;
        _tries[key] = (_host.Now, (wait > TryMost ? TryMost : wait) * (0.75 + 0.5 * _host.Environment.Random.NextDouble()));
        _bag.Watch(SeekAsync(key));
    }

    private async Task SeekAsync(PublicKey key)
    {
        _connecting++;
        try { await _host.Connector.ConnectAsync(key); }
        finally { _connecting--; }
    }

    private void Tell()
    {
        if (IsOver())
        {
            _isTelling = false;
            return;
        }
        _bag.Watch(TellAsync());
    }

    private async Task TellAsync()
    {
        try { await _bag.Inbox.TellAsync(); }
        finally { _isTelling = false; }
    }
}
