using Microsoft.Extensions.Logging;

namespace Polder.Simulation;

/// <summary>A node's log: an error in it is a bug of ours and fails the run; the rest goes nowhere.</summary>
internal sealed class WorldLog(World world, SimulatedNode node) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The log of a simulated node has one reader, its world.");

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // What a node does in the moment of its death is nobody's business any more.
        if (logLevel >= LogLevel.Error && node.IsRunning) world.Fail($"{node.Name}: {formatter(state, exception)}\n{exception}", exception);
    }

    public void Dispose() { }
}
