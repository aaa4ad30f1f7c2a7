using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>Asks the meeting points that are registered, and says there that we can be reached.</summary>
internal sealed class MeetingPoints(NodeHost host)
{
    private const int FoundMax = 256;
    private static readonly TimeSpan AskInterval = TimeSpan.FromMinutes(2), AnnounceInterval = TimeSpan.FromMinutes(15), AnswerTime = TimeSpan.FromSeconds(60);

    private readonly List<IMeetingPoint> _points = [];
    private TimeSpan _askDue, _announceDue;

    /// <summary>Addresses that they gave; untrusted.</summary>
    public List<Endpoint> Found { get; } = [];

    public IReadOnlyList<string> Names => _points.ConvertAll(static point => point.Name);

    public void Add(IMeetingPoint point)
    {
        _points.Add(point);
        _askDue = default;
    }

    public void Ask(TimeSpan now)
    {
        if (now < _askDue) return;
        _askDue = now + AskInterval;
        foreach (var point in _points) _ = AskAsync(point);
    }

    public void Announce(TimeSpan now)
    {
        if (now < _announceDue) return;
        _announceDue = now + AnnounceInterval;
        foreach (var point in _points) _ = AnnounceAsync(point);
    }

    private async Task AskAsync(IMeetingPoint point)
    {
        using var limit = new CancellationTokenSource(AnswerTime, host.Environment.Time);
        try
        {
            foreach (var address in await point.FindAsync(MeetingKey.Of(host.Options.Network), limit.Token))
                if (Found.Count < FoundMax && host.MayWalkTo(address) && !Found.Contains(address)) Found.Add(address);
        }
        catch (OperationCanceledException) { /* It took too long. */ }
        // Background work has no caller to tell.
        catch (Exception problem) { host.Fault(problem, host.Discovery); }
    }

    private async Task AnnounceAsync(IMeetingPoint point)
    {
        using var limit = new CancellationTokenSource(AnswerTime, host.Environment.Time);
        try { await point.AnnounceAsync(MeetingKey.Of(host.Options.Network), (host.WanAddress ?? host.LanAddress).Port, limit.Token); }
        catch (OperationCanceledException) { /* It took too long. */ }
        catch (Exception problem) { host.Fault(problem, host.Discovery); }
    }
}
