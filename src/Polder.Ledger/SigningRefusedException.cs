namespace Polder.Ledger;

/// <summary>This node signs nothing at present. The message is for people: why, and what helps.</summary>
public sealed class SigningRefusedException(string message) : Exception(message);
