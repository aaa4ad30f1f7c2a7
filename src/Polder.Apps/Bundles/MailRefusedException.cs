namespace Polder.Apps.Bundles;

/// <summary>A letter could not be posted: the bag is full. The message says what to do.</summary>
public sealed class MailRefusedException : Exception
{
    internal MailRefusedException(string message) : base(message) { }
}
