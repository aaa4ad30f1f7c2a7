namespace Polder.Apps.Parcels;

/// <summary>What people are told of a code that may not be used any more.</summary>
internal static class CodeWords
{
    /// <summary>To the sender: somebody had the words wrong, earlier.</summary>
    public const string Burnt = "This code is spent: somebody tried it with wrong words. Choose another one, or let one be made.";

    /// <summary>To the receiver: its budget of guesses is gone.</summary>
    public const string Spent = "This code was tried as often as is safe: more tries would let somebody guess it. Ask the sender for a new code.";
}
