namespace Polder.Overlay;

/// <summary>An exception in a handler or in background work: a bug of ours. In tests and simulations it fails the run.</summary>
/// <param name="Problem">What was thrown.</param>
/// <param name="Where">The community or the sender.</param>
/// <param name="Datagram">The datagram that was handled; empty for background work.</param>
public sealed record Fault(Exception Problem, string Where, ReadOnlyMemory<byte> Datagram);
