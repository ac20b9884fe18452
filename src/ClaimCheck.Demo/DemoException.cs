namespace ClaimCheck.Demo;

/// <summary>Something is not as the tour states. The message tells the viewer what.</summary>
internal sealed class DemoException(string message, Exception? inner = null) : Exception(message, inner);
