namespace Polder.Apps.Parcels;

/// <summary>One code is for one transfer: says which meeting place goes on, where our confirmation was shown, and burns the code everywhere at once when it was guessed at.</summary>
public sealed class CodeUse
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _shownAt = new(StringComparer.Ordinal);
    private string? _winner;
    private bool _burnt;

    /// <summary>Called with the place's name when the other side has proved that it knows the code. True for the first only.</summary>
    public bool Win(string place)
    {
        lock (_gate) return !_burnt && (_winner ??= place) == place;
    }

    /// <summary>
    /// Called with the place's name before our confirmation goes out there: whoever gets it can test one guess, seen or unseen. False when the code is
    /// burnt, or another place goes on with it.
    /// </summary>
    public bool TryShow(string place)
    {
        lock (_gate)
        {
            if (_burnt || (_winner is not null && _winner != place)) return false;
            _shownAt.Add(place);
            return true;
        }
    }

    /// <summary>Whether another place than this one has shown our confirmation.</summary>
    public bool IsShownElsewhere(string place)
    {
        lock (_gate) return _shownAt.Any(other => other != place);
    }

    /// <summary>The place that goes on; null while none does.</summary>
    public string? Winner { get { lock (_gate) return _winner; } }

    /// <summary>A wrong confirmation came: nobody may try this code again, at any place.</summary>
    public void Burn()
    {
        lock (_gate) _burnt = true;
        Burnt?.Invoke();
    }

    /// <summary>Whether the code is spent by a wrong guess.</summary>
    public bool IsBurnt { get { lock (_gate) return _burnt; } }

    /// <summary>Raised when the code is burnt.</summary>
    public event Action? Burnt;
}
