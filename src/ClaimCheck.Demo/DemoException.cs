namespace ClaimCheck.Demo;

/// <summary>Something is not as the tour says it is. The text says what, for the person who watches.</summary>
internal sealed class DemoException(string message, Exception? inner = null) : Exception(message, inner);
