/** A source file of the project. */
export interface SourceFile {
  /** Path from the folder of the project. */
  readonly path: string;
  readonly text: string;
}

export declare const ROOT: string;
export declare const LAYERS: Readonly<Record<string, readonly string[]>>;
export declare function read(path: string): string;
export declare function sourcesIn(folder: string): SourceFile[];
export declare function importsOf(file: SourceFile): string[];
export declare function layerOf(path: string): string;
export declare function mayImport(path: string, target: string): boolean;
export declare function circlesIn(files: readonly SourceFile[]): string[][];
