namespace Polder.Overlay.Discovery;

/// <summary>One walk's repeats and its end.</summary>
internal sealed class WalkRepeat
{
    private readonly Introductions _owner;
    private readonly NodeHost _host;
    private readonly Community _community;
    private readonly Candidate _candidate;
    private readonly TimeSpan _begun;
    private readonly ITimer _timer;
    private int _repeats;

    public WalkRepeat(Introductions owner, NodeHost host, Community community, Candidate candidate)
    {
        (_owner, _host, _community, _candidate, _begun) = (owner, host, community, candidate, host.Now);
        _timer = host.Environment.Time.CreateTimer(
            static self => ((WalkRepeat)self!).Next(), this, NextDue(), Timeout.InfiniteTimeSpan);
    }

    private TimeSpan NextDue()
    {
        var repeats = _host.Options.WalkRepeats;
        var at = _repeats < repeats.Count ? repeats[_repeats] : _host.Options.AnswerTime;
        var due = _begun + at - _host.Now;
        return due > TimeSpan.Zero ? due : TimeSpan.Zero;
    }

    private void Next()
    {
        var isCurrent = !_community.IsLeft && _owner.Candidates.Find(_candidate.Address) == _candidate;
        if (!isCurrent || _repeats >= _host.Options.WalkRepeats.Count)
        {
            _owner.WalkEnded();
            _timer.Dispose();
            if (isCurrent) _owner.Candidates.Failed(_candidate, _host.Now);
            return;
        }
        _repeats++;
        _owner.Request(_candidate.Address);
        _timer.Change(NextDue(), Timeout.InfiniteTimeSpan);
    }
}
