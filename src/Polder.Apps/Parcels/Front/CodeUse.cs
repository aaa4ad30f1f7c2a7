namespace Polder.Apps.Parcels;

/// <summary>One code is for one transfer: says which meeting place goes on, and burns the code everywhere at once when it was guessed at.</summary>
public sealed class CodeUse
{
    private string? _winner;
    private int _burnt;
    private int _guesses;

    /// <summary>Called with the place's name when the other side has proved that it knows the code. True for the first only.</summary>
    public bool Win(string place) => !IsBurnt && (Interlocked.CompareExchange(ref _winner, place, null) ?? place) == place;

    /// <summary>The place that goes on; null while none does.</summary>
    public string? Winner => Volatile.Read(ref _winner);

    /// <summary>Called by the receiver before it shows a confirmation to a candidate; false when <paramref name="budget"/> guesses are spent.</summary>
    public bool TryGuess(int budget) => Interlocked.Increment(ref _guesses) <= budget && !IsBurnt;

    /// <summary>Confirmations shown.</summary>
    public int Guesses => Math.Max(0, Volatile.Read(ref _guesses));

    /// <summary>A wrong confirmation came: nobody may try this code again, at any place.</summary>
    public void Burn()
    {
        Volatile.Write(ref _burnt, 1);
        Burnt?.Invoke();
    }

    /// <summary>Whether the code is spent by a wrong guess.</summary>
    public bool IsBurnt => Volatile.Read(ref _burnt) != 0;

    /// <summary>Raised when the code is burnt.</summary>
    public event Action? Burnt;
}
