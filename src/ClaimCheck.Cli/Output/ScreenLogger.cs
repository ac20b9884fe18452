using Microsoft.Extensions.Logging;
using EventId = Microsoft.Extensions.Logging.EventId;

namespace ClaimCheck.Cli.Output;

/// <summary>A library's log lines go beside the results; for scripts only those that they must not miss.</summary>
internal sealed class ScreenLogger(Screen screen) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning)
            screen.Note(formatter(state, exception));
        else if (logLevel == LogLevel.Information)
            screen.Hint(formatter(state, exception));
    }
}
