namespace Polder.Node;

/// <summary>A node that cannot start, or a data folder that cannot be used. The message says what is wrong and what to do.</summary>
/// <param name="message">For people: what is wrong and what to do.</param>
/// <param name="cause">The system's own words.</param>
public sealed class NodeStartException(string message, Exception? cause = null) : Exception(message, cause);
